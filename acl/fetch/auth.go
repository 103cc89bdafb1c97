package fetch

import (
	"bytes"
	"encoding/base64"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// Userlist is what http_auth and http_auth_group ask of the userlist in their argument.
type Userlist interface {
	// Check tells whether the list has the user with this password.
	Check(user, password []byte) bool
}

const (
	basicRequest  = "GET / HTTP/1.1\r\nAuthorization: Basic Ym9iOnNlY3JldA==\r\n\r\n"
	bearerRequest = "GET / HTTP/1.1\r\nAuthorization: Bearer abc.def\r\n\r\n"
)

var authRows = []sample.Fetch{
	{Doc: doc("http_auth", "7.3.6", "whether a userlist has the user with the password of the request",
		args(keyword.Arg{Name: "userlist", Type: keyword.Users}), "http_auth(list)", basicRequest, "1"),
		Dir: sample.Request, Out: sample.Bool, From: sample.ReqHeaders, Eval: authenticated},
	{Doc: doc("http_auth_bearer", "7.3.6", "the token of an authorization of type Bearer",
		args(opt(keyword.Arg{Name: "header", Type: keyword.Str, Default: "Authorization"})), "http_auth_bearer", bearerRequest, "abc.def"),
		Check: checkHeader, Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: bearer},
	{Doc: doc("http_auth_group", "7.3.6", "the user of the request if a userlist has it with its password; an ACL compares its groups",
		args(keyword.Arg{Name: "userlist", Type: keyword.Users}), "http_auth_group(list)", basicRequest, "bob"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: authenticatedUser},
	{Doc: doc("http_auth_pass", "7.3.6", "the password of an authorization of type Basic", nil, "http_auth_pass", basicRequest, "secret"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: password},
	{Doc: doc("http_auth_type", "7.3.6", "the type of the authorization: Basic or Bearer", nil, "http_auth_type", basicRequest, "Basic"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: authType},
	{Doc: doc("http_auth_user", "7.3.6", "the user of an authorization of type Basic", nil, "http_auth_user", basicRequest, "bob"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: user},
}

var (
	basicScheme  = []byte("Basic")
	bearerScheme = []byte("Bearer")
	space        = []byte(" ")
)

// credentials are what a request authenticates itself with.
type credentials struct {
	scheme         []byte // Basic or Bearer
	token          []byte // of Bearer
	user, password []byte // of Basic
}

// splitScheme cuts "scheme token": blanks between them do not count.
func splitScheme(v []byte) (scheme, token []byte, ok bool) {
	i := bytes.IndexByte(v, ' ')
	if i <= 0 {
		return nil, nil, false
	}
	return v[:i], bytes.TrimLeft(v[i:], " "), true
}

// authorization reads the Authorization header.
func authorization(ctx *sample.Context, out *sample.Value) (c credentials, ok bool) {
	m, ok := request(ctx, out)
	if !ok {
		return c, false
	}
	i := m.FindID(message.Authorization, 0)
	if i < 0 {
		return c, false
	}
	v := m.Value(i)
	scheme, token, ok := splitScheme(v[:message.ValueEnd(v)])
	switch {
	case !ok:
		return c, false
	case message.EqualFold(scheme, basicScheme):
		c.scheme = basicScheme
		c.user, c.password, ok = decodeBasic(ctx, token)
		return c, ok
	case message.EqualFold(scheme, bearerScheme):
		c.scheme, c.token = bearerScheme, token
		return c, true
	}
	return c, false
}

// decodeBasic decodes "user:password". Either ends at a NUL.
func decodeBasic(ctx *sample.Context, token []byte) (user, password []byte, ok bool) {
	b := ctx.Scratch.Alloc(base64.StdEncoding.DecodedLen(len(token)))
	if b == nil || bytes.ContainsAny(token, "\r\n") {
		return nil, nil, false
	}
	n, err := base64.StdEncoding.Decode(b, token)
	if err != nil {
		return nil, nil, false
	}
	b = upToNUL(b[:n])
	i := bytes.IndexByte(b, ':')
	if i < 0 {
		return nil, nil, false
	}
	return b[:i], b[i+1:], true
}

func upToNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func authType(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	c, ok := authorization(ctx, out)
	if ok {
		out.SetConst(c.scheme)
	}
	return ok
}

func user(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	c, ok := authorization(ctx, out)
	if ok {
		out.SetConst(c.user)
	}
	return ok && c.token == nil
}

func password(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	c, ok := authorization(ctx, out)
	if ok {
		out.SetConst(c.password)
	}
	return ok && c.token == nil
}

func bearer(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	if !a[0].Present {
		c, ok := authorization(ctx, out)
		if ok {
			out.SetConst(c.token)
		}
		return ok && c.token != nil
	}
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	i := find(m, &a[0], 0)
	if i < 0 {
		out.SetConst(nil) // the reference gives an empty string here
		return true
	}
	v := m.Value(i)
	scheme, token, _ := bytes.Cut(v[:message.ValueEnd(v)], space)
	if !message.EqualFold(scheme, bearerScheme) || len(token) == len(scheme) {
		return false // Quirk: a token as long as the scheme is taken for a value without a scheme
	}
	out.SetConst(bytes.TrimLeft(token, " "))
	return true
}

// Authenticated tells whether a userlist has the user of the request with its password.
func Authenticated(ctx *sample.Context, list Userlist) bool {
	c, ok := authorization(ctx, new(sample.Value))
	return ok && c.token == nil && list.Check(c.user, c.password)
}

// checked reads the credentials and has the userlist check them.
func checked(ctx *sample.Context, a []sample.Arg, out *sample.Value) (c credentials, valid, ok bool) {
	list, known := a[0].Ref.(Userlist)
	c, ok = authorization(ctx, out)
	if !ok || !known || c.token != nil {
		return c, false, false
	}
	return c, list.Check(c.user, c.password), true
}

func authenticated(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	_, valid, ok := checked(ctx, a, out)
	out.SetBool(valid)
	return ok
}

func authenticatedUser(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	c, valid, ok := checked(ctx, a, out)
	out.SetConst(c.user)
	return ok && valid
}
