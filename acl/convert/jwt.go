package convert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var jwtRows = []sample.Converter{
	{Doc: doc("jwt_header_query", "a value from the header of a JSON Web Token", args(opt(text("path")), opt(text("type"))),
		`str(eyJhbGciOiJIUzI1NiJ9.e30.x),jwt_header_query('$.alg')`, "HS256"),
		Check: checkJWTQuery, In: sample.Bin, Out: sample.Any, Eval: jwtQuery(0)},
	{Doc: doc("jwt_payload_query", "a value from the payload of a JSON Web Token", args(opt(text("path")), opt(text("type"))),
		`str(e30.eyJzdWIiOiJqb2UifQ.x),jwt_payload_query('$.sub')`, "joe"),
		Check: checkJWTQuery, In: sample.Bin, Out: sample.Any, Eval: jwtQuery(1)},
	{Doc: doc("jwt_verify", "1 if the signature of a JSON Web Token is good, 0 or a negative reason if not",
		args(keyword.Arg{Name: "alg", Type: keyword.Str, Doc: "HS256 and so on, or a variable"},
			keyword.Arg{Name: "key", Type: keyword.Str, Doc: "secret, file of a public key, or a variable"}),
		`str(eyJhbGciOiJIUzI1NiJ9.e30.l6hyHyJq4nLIbjsqCKiaufafi8OKfoFN7BwzwA7wzCY),jwt_verify(HS256,key)`, "0"),
		Check: checkJWTVerify, In: sample.Bin, Out: sample.Int, Eval: jwtVerify},
}

// What jwt_verify answers beside 1 and 0 (configuration manual, jwt_verify).
const (
	jwtUnknownAlg   = -1
	jwtInvalidToken = -3
	jwtUnknownKey   = -5
)

func checkJWTQuery(_ *sample.Compiler, a []sample.Arg) error { return checkJSONType(&a[1]) }

// jwtPart gives part n of a token; more tells whether there are further ones.
func jwtPart(token []byte, n int) (part []byte, more, ok bool) {
	for ; ; n-- {
		part, token, more = bytes.Cut(token, []byte{'.'})
		if n == 0 {
			return part, more, true
		}
		if !more {
			return nil, false, false
		}
	}
}

func jwtQuery(n int) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
		part, _, ok := jwtPart(v.Bytes, n)
		if !ok || !a[0].Present {
			return false
		}
		text, ok := appendBase64URL(ctx.Scratch.Room(), part)
		if !ok {
			return false
		}
		v.Bytes = ctx.Scratch.Take(text)
		return queryJSON(ctx, a, v)
	}
}

// jwtAlg is how an algorithm of RFC 7518 signs.
type jwtAlg struct {
	family byte // N none, H HMAC, R RSA, E ECDSA, P RSA-PSS
	hash   crypto.Hash
}

func parseJWTAlg(name string) (jwtAlg, bool) {
	if name == "none" {
		return jwtAlg{family: 'N'}, true
	}
	if len(name) != 5 || !bytes.ContainsRune([]byte("HREP"), rune(name[0])) {
		return jwtAlg{}, false
	}
	sizes := map[string]crypto.Hash{"S256": crypto.SHA256, "S384": crypto.SHA384, "S512": crypto.SHA512}
	h, ok := sizes[name[1:]]
	return jwtAlg{family: name[0], hash: h}, ok
}

// jwtKeys are the public keys that a configuration names, by path.
type jwtKeys map[string]any

func checkJWTVerify(c *sample.Compiler, a []sample.Arg) error {
	for i := range 2 {
		if v, err := c.Variable(a[i].Str); err == nil {
			a[i].Type, a[i].Var = keyword.Var, v
		}
	}
	var alg jwtAlg
	if a[0].Type != keyword.Var {
		var ok bool
		if alg, ok = parseJWTAlg(a[0].Str); !ok {
			return fmt.Errorf("unknown JWT algorithm: %s", a[0].Str)
		}
		a[0].Data = alg
	}
	if a[1].Type == keyword.Var || alg.family == 'H' {
		return nil
	}
	key, err := loadPublicKey(a[1].Str)
	if err == nil {
		a[1].Data = jwtKeys{a[1].Str: key}
	} else if a[0].Type != keyword.Var {
		return errNoKey
	}
	return nil
}

// errNoKey has the words that have always stood there.
var errNoKey = errors.New("(null)")

func loadPublicKey(path string) (any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PUBLIC KEY" {
			return x509.ParsePKIXPublicKey(block.Bytes)
		}
	}
	return nil, errors.New("no public key")
}

func jwtVerify(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	alg, known := a[0].Data.(jwtAlg)
	if a[0].Type == keyword.Var {
		name, ok := varText(ctx, a[0].Var)
		if !ok || len(name) == 0 {
			return false
		}
		alg, known = parseJWTAlg(string(name))
	}
	key := []byte(a[1].Str)
	if a[1].Type == keyword.Var {
		var ok bool
		if key, ok = varText(ctx, a[1].Var); !ok {
			return false
		}
	}
	if len(key) == 0 {
		return false
	}
	if !known {
		v.SetInt(jwtUnknownAlg)
		return true
	}
	v.SetInt(checkJWT(v.Bytes, alg, key, a[1].Data))
	return true
}

// UnavailableJWT is what jwt_verify_cert answers for a certificate that is not to be used.
const UnavailableJWT = -7

// VerifyJWT checks the signature of a token by the public key of a certificate, nil when
// there is none; see jwt_verify for the answers.
func VerifyJWT(token []byte, name string, public any) int64 {
	const unmanaged = -2
	alg, known := parseJWTAlg(name)
	switch {
	case !known:
		return jwtUnknownAlg
	case alg.family == 'H':
		return unmanaged
	}
	return checkJWT(token, alg, nil, jwtKeys{"": public})
}

// KnownJWT tells whether there is an algorithm of this name, and whether it signs by a secret.
func KnownJWT(name string) (known, secret bool) {
	alg, known := parseJWTAlg(name)
	return known, alg.family == 'H'
}

func checkJWT(token []byte, alg jwtAlg, key []byte, loaded any) int64 {
	encoded, more, ok := jwtPart(token, 2)
	if !ok || more {
		return jwtInvalidToken
	}
	if alg.family == 'N' {
		if len(encoded) == 0 {
			return 1
		}
		return 0
	}
	signature, ok := appendBase64URL(nil, encoded)
	if !ok || len(signature) == 0 {
		return jwtInvalidToken
	}
	signed := token[:len(token)-len(encoded)-1]
	if alg.family == 'H' {
		h := hmac.New(alg.hash.New, key)
		h.Write(signed)
		if hmac.Equal(h.Sum(nil), signature) {
			return 1
		}
		return 0
	}
	keys, _ := loaded.(jwtKeys)
	public := keys[string(key)]
	if public == nil {
		return jwtUnknownKey
	}
	h := alg.hash.New()
	h.Write(signed)
	return verifySignature(alg, public, h.Sum(nil), signature)
}

func verifySignature(alg jwtAlg, public any, sum, signature []byte) int64 {
	good := false
	switch k := public.(type) {
	case *rsa.PublicKey:
		switch alg.family {
		case 'R':
			good = rsa.VerifyPKCS1v15(k, alg.hash, sum, signature) == nil
		case 'P':
			good = rsa.VerifyPSS(k, alg.hash, sum, signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		if alg.family != 'E' {
			break
		}
		half := len(signature) / 2
		if len(signature)%2 != 0 {
			return jwtInvalidToken
		}
		good = ecdsa.Verify(k, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}
	if good {
		return 1
	}
	return 0
}
