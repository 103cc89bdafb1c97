package ssl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"hapax/acl/convert"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Algorithms that encrypt the keys of tokens, by the kind of the key that they take, and
// those that encrypt their contents (RFC 7518, 4 and 5).
var (
	secretAlgs   = []jose.KeyAlgorithm{jose.A128KW, jose.A192KW, jose.A256KW, jose.A128GCMKW, jose.A192GCMKW, jose.A256GCMKW, jose.DIRECT}
	rsaAlgs      = []jose.KeyAlgorithm{jose.RSA1_5, jose.RSA_OAEP, jose.RSA_OAEP_256}
	ellipticAlgs = []jose.KeyAlgorithm{jose.ECDH_ES, jose.ECDH_ES_A128KW, jose.ECDH_ES_A192KW, jose.ECDH_ES_A256KW}
	contentEncs  = []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM}
)

// tokens are the algorithms that "jwt.decrypt_alg_list" and "jwt.decrypt_enc_list" take away;
// nil: what is taken away when nobody says.
type tokens struct{ algs, encs map[string]bool }

// without are the algorithms that are left.
func without[T ~string](all []T, refused map[string]bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(alg T) bool { return refused[string(alg)] })
}

// weakAlgs are not used unless somebody says so (RFC 8725, 3.2).
var weakAlgs = map[string]bool{string(jose.RSA1_5): true}

// parseTokenAlgs is "jwt.decrypt_alg_list" and "jwt.decrypt_enc_list".
func parseTokenAlgs(known []string, target func(*tokens) *map[string]bool) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		refused := map[string]bool{}
		for _, name := range known {
			refused[name] = true
		}
		for _, word := range strings.Split(line.Arg(1), ":") {
			name, not := strings.CutPrefix(word, "!")
			switch {
			case name == "ALL":
				clear(refused)
			case !refused[name] && !slices.Contains(known, name):
				l.Report(line.Pos, fmt.Errorf("Unknown algorithm/encoding %s\n", name))
				return
			default:
				refused[name] = not
			}
		}
		*target(&of(l).tokens) = refused
	}
}

func names[T ~string](lists ...[]T) (all []string) {
	for _, list := range lists {
		for _, name := range list {
			all = append(all, string(name))
		}
	}
	return all
}

// tokenKeywords are the keywords of the global section about tokens.
func tokenKeywords() []config.Keyword {
	return []config.Keyword{
		global("jwt.decrypt_alg_list", "algorithms of the keys of encrypted tokens, separated by colons", keyword.Str, "",
			parseTokenAlgs(names(secretAlgs, rsaAlgs, ellipticAlgs), func(t *tokens) *map[string]bool { return &t.algs }), "jwt.decrypt_alg_list ALL:!RSA1_5"),
		global("jwt.decrypt_enc_list", "algorithms of the contents of encrypted tokens, separated by colons", keyword.Str, "",
			parseTokenAlgs(names(contentEncs), func(t *tokens) *map[string]bool { return &t.encs }), "jwt.decrypt_enc_list A128GCM:A256GCM"),
	}
}

// tokenConverters decrypt tokens (RFC 7516) in their compact form.
func tokenConverters() []sample.Converter {
	row := func(name, summary, arg string, check func(*sample.Compiler, []sample.Arg) error, key func(ctx *sample.Context, g *settings, arg []byte) (any, []jose.KeyAlgorithm)) sample.Converter {
		return sample.Converter{
			Doc: keyword.Doc{Name: name, Ref: "7.3.1", Summary: summary, Args: []keyword.Arg{{Name: arg, Type: keyword.Str, Doc: "or a variable"}},
				Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500\n  http-request set-var(txn.token) http_auth_bearer," + name + "(txn.key)\n"}}},
			In: sample.Bin, Out: sample.Bin, Check: check,
			Eval: func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
				return decryptToken(ctx, args, v, key)
			},
		}
	}
	return []sample.Converter{
		verifyByCertificate(),
		row("jwt_decrypt_secret", "the content of an encrypted token, by a secret in base64", "secret", checkSecret, secretOf),
		row("jwt_decrypt_jwk", "the content of an encrypted token, by a key in JSON", "jwk", checkKey, keyOf),
		row("jwt_decrypt_cert", "the content of an encrypted token, by the key of a certificate", "cert", checkCertificate, certificateKeyOf),
	}
}

// verifyByCertificate is the row of the converter that checks a signature by the key of a
// certificate, which may change when the process runs.
func verifyByCertificate() sample.Converter {
	return sample.Converter{
		Doc: keyword.Doc{Name: "jwt_verify_cert", Ref: "7.3.1", Summary: "whether a token is signed with the key of a certificate: 1, 0, or a negative number of an error",
			Args:     []keyword.Arg{{Name: "alg", Type: keyword.Str, Doc: "or a variable"}, {Name: "cert", Type: keyword.Str, Doc: "or a variable"}},
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:443 ssl crt site.pem\n  http-request deny unless { http_auth_bearer,jwt_verify_cert(ES256,\"site.pem\") 1 }\n"}}},
		In: sample.Bin, Out: sample.Int, Check: checkVerify, Eval: verifyToken,
	}
}

func checkVerify(c *sample.Compiler, args []sample.Arg) error {
	for i := range args {
		if v, err := c.Variable(args[i].Str); err == nil {
			args[i].Type, args[i].Var = keyword.Var, v
		}
	}
	if args[0].Type != keyword.Var {
		switch known, secret := convert.KnownJWT(args[0].Str); {
		case !known:
			return fmt.Errorf("unknown JWT algorithm: %s", args[0].Str)
		case secret && args[1].Type != keyword.Var:
			return errors.New("HMAC-signed tokens can't be processed by this converter")
		}
	}
	if args[1].Type == keyword.Var {
		return nil
	}
	if args[1].Data = publicKeyIn(args[1].Str); args[1].Data != nil {
		return nil
	}
	if l, ok := c.LookUp.(*config.Loader); ok {
		of(l).loadForTokens(args[1].Str)
	}
	return nil
}

// loadForTokens makes a certificate one that may be used for tokens, and loads it if nothing
// did: its key is not needed. A file that cannot be loaded is none that tokens are good for.
func (g *settings) loadForTokens(path string) {
	if e := g.store.entries[path]; e != nil {
		e.conf.jwt = true
		return
	}
	text, err := os.ReadFile(path)
	c := &certificate{}
	if err != nil || c.readPEM(g, path, text) != nil {
		return
	}
	g.store.entries[path] = &entry{name: path, conf: loadConf{crt: path, jwt: true}, cert: c}
}

// publicKeyIn is the public key in a PEM file; nil: there is none.
func publicKeyIn(path string) any {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PUBLIC KEY" {
			if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
				return key
			}
		}
	}
	return nil
}

func verifyToken(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
	var words [2]string
	for i := range words {
		words[i] = args[i].Str
		if args[i].Type == keyword.Var {
			var text sample.Value
			if !ctx.GetVar(args[i].Var, &text) || !sample.Cast(ctx, &text, sample.Str) || len(text.Bytes) == 0 {
				return false
			}
			words[i] = string(text.Bytes)
		}
	}
	public := args[1].Data
	if public == nil {
		cert, known := tokenSettings(ctx).tokenCertificate(words[1])
		switch {
		case known && cert == nil:
			v.SetInt(convert.UnavailableJWT)
			return true
		case known && cert.leaf != nil:
			public = cert.leaf.PublicKey
		}
	}
	v.SetInt(convert.VerifyJWT(v.Bytes, words[0], public))
	return true
}

// tokenSettings are the settings of the configuration that an evaluation belongs to.
func tokenSettings(ctx *sample.Context) *settings {
	if s, ok := ctx.Owner.(*runtime.Stream); ok && s.Config != nil {
		if g, ok := s.Config.Global.SSL.(*settings); ok {
			return g
		}
	}
	return &settings{}
}

// decryptToken puts the content of a token in its place.
func decryptToken(ctx *sample.Context, args []sample.Arg, v *sample.Value, key func(*sample.Context, *settings, []byte) (any, []jose.KeyAlgorithm)) bool {
	arg := []byte(args[0].Str)
	if args[0].Type == keyword.Var {
		var text sample.Value
		if !ctx.GetVar(args[0].Var, &text) || !sample.Cast(ctx, &text, sample.Str) {
			return false
		}
		arg = text.Bytes
	}
	g := tokenSettings(ctx)
	with, algs := key(ctx, g, arg)
	if with == nil {
		return false
	}
	refused := g.tokens.algs
	if refused == nil {
		refused = weakAlgs
	}
	token, err := jose.ParseEncryptedCompact(string(v.Bytes), without(algs, refused), without(contentEncs, g.tokens.encs))
	if err != nil {
		return false
	}
	content, err := token.Decrypt(with)
	if err != nil {
		return false
	}
	b := ctx.Scratch.Alloc(len(content))
	if b == nil {
		return false
	}
	copy(b, content)
	v.SetBin(b)
	return true
}

func checkVariable(c *sample.Compiler, args []sample.Arg) error {
	if v, err := c.Variable(args[0].Str); err == nil {
		args[0].Type, args[0].Var = keyword.Var, v
	}
	return nil
}

func checkCertificate(c *sample.Compiler, args []sample.Arg) error {
	checkVariable(c, args)
	l, ok := c.LookUp.(*config.Loader)
	if args[0].Type == keyword.Var || !ok {
		return nil
	}
	switch e := of(l).store.entries[args[0].Str]; {
	case e == nil:
		return fmt.Errorf("unknown certificate %s", args[0].Str)
	case !e.conf.jwt:
		return fmt.Errorf("unusable certificate %s (\"jwt\" option not set to \"on\")", args[0].Str)
	}
	return nil
}

func checkSecret(c *sample.Compiler, args []sample.Arg) error {
	checkVariable(c, args)
	if args[0].Type == keyword.Var || args[0].Str == "" {
		return nil
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(args[0].Str); err != nil {
		return errors.New("failed to parse secret: argument needs to be base64 encoded, and can either be a string or a variable")
	}
	return nil
}

// decode64 reads base64 with or without its padding; nil: it is none.
func decode64(text string) []byte {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := encoding.DecodeString(text); err == nil {
			return b
		}
	}
	return nil
}

func secretOf(_ *sample.Context, _ *settings, text []byte) (any, []jose.KeyAlgorithm) {
	secret := decode64(string(text))
	if secret == nil {
		return nil, nil
	}
	return secret, secretAlgs
}

func checkKey(c *sample.Compiler, args []sample.Arg) error {
	checkVariable(c, args)
	if args[0].Type == keyword.Var {
		return nil
	}
	var kind struct{ Kty, K string }
	json.Unmarshal([]byte(args[0].Str), &kind)
	key, _ := keyOf(nil, nil, []byte(args[0].Str))
	switch {
	case kind.Kty == "":
		return errors.New("Missing key type (expected 'oct', 'RSA' or 'EC')")
	case kind.Kty == "oct" && kind.K == "":
		return errors.New("Missing 'k' field in JWK")
	case kind.Kty != "oct" && kind.Kty != "RSA" && kind.Kty != "EC":
		return errors.New("Unmanaged key type (expected 'oct', 'RSA' or 'EC'")
	case key == nil && kind.Kty != "oct":
		return fmt.Errorf("Failed to parse %s JWK", kind.Kty)
	}
	return nil
}

func keyOf(_ *sample.Context, _ *settings, text []byte) (any, []jose.KeyAlgorithm) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil {
		return nil, nil
	}
	return key.Key, algsFor(key.Key)
}

// algsFor are the algorithms that take a key.
func algsFor(key any) []jose.KeyAlgorithm {
	switch key.(type) {
	case []byte:
		return secretAlgs
	case *rsa.PrivateKey:
		return rsaAlgs
	case *ecdsa.PrivateKey:
		return ellipticAlgs
	}
	return nil
}

// certificateKeyOf finds the key of a certificate that may be used so ("jwt on").
func certificateKeyOf(_ *sample.Context, g *settings, name []byte) (any, []jose.KeyAlgorithm) {
	cert, _ := g.tokenCertificate(string(name))
	if cert == nil || cert.key == nil {
		return nil, nil
	}
	return cert.key, algsFor(crypto.PrivateKey(cert.key))
}

// tokenCertificate is a certificate that may be used for tokens ("jwt on"), nil when it may
// not. known tells whether there is one of this name.
func (g *settings) tokenCertificate(name string) (c *certificate, known bool) {
	if g.store == nil {
		return nil, false
	}
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	e := g.store.entries[name]
	if e == nil || !e.conf.jwt {
		return nil, e != nil
	}
	return e.cert, e.cert != nil
}
