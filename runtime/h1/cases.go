package h1

// Cases are names of fields as they go out to peers that heed capitals, by their names in lower case. Section 3
// "h1-case-adjust".
type Cases map[string][]byte

// of is the name as it goes out.
func (c Cases) of(name []byte) []byte {
	if as, ok := c[string(name)]; ok {
		return as
	}
	return name
}
