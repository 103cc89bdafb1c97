package message

// Method is a known request method, numbered as the sample fetches and the statistics number them.
type Method uint8

const (
	OPTIONS Method = iota
	GET
	HEAD
	POST
	PUT
	DELETE
	TRACE
	CONNECT
	OtherMethod
)

var methodNames = [...]string{"OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"}

// String is the method's name, empty for OtherMethod.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return ""
}

// MethodOf finds the method of that name. Methods are case-sensitive.
func MethodOf(name []byte) Method {
	switch string(name) {
	case "GET":
		return GET
	case "PUT":
		return PUT
	case "HEAD":
		return HEAD
	case "POST":
		return POST
	case "TRACE":
		return TRACE
	case "DELETE":
		return DELETE
	case "CONNECT":
		return CONNECT
	case "OPTIONS":
		return OPTIONS
	}
	return OtherMethod
}
