package convert

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/ripemd160" //lint:ignore SA1019 an algorithm that configurations may name
)

var cryptoRows = []sample.Converter{
	{Doc: doc("sha1", "the SHA-1 digest", nil, "str(abc),sha1,hex", "A9993E364706816ABA3E25717850C26C9CD0D89D"),
		In: sample.Bin, Out: sample.Bin, Eval: sha1Digest},
	{Doc: doc("sha2", "the SHA-2 digest of 224, 256, 384 or 512 bits",
		args(opt(keyword.Arg{Name: "bits", Type: keyword.Int, Default: "256"})),
		"str(abc),sha2(224),hex", "23097D223405D8228642A477BDA255B32AADBCE4BDA0B3F7E36C9DA7"),
		Check: checkSHA2, In: sample.Bin, Out: sample.Bin, Eval: sha2Digest},
	{Doc: doc("digest", "the digest by the algorithm of that name", args(text("algorithm")),
		"str(abc),digest(md5),hex", "900150983CD24FB0D6963F7D28E17F72"),
		Check: checkDigest, In: sample.Bin, Out: sample.Bin, Eval: digest},
	{Doc: doc("hmac", "the keyed digest by the algorithm of that name", args(text("algorithm"),
		keyword.Arg{Name: "key", Type: keyword.Str, Doc: "in base64, or a variable that holds it so"}),
		"str(abc),hmac(sha1,a2V5),hex", "4FD0B215276EF12F2B3E4C8ECAC2811498B656FC"),
		Check: checkHMAC, In: sample.Bin, Out: sample.Bin, Eval: keyedDigest},
	{Doc: doc("secure_memcmp", "whether the block equals a variable, in constant time", args(variable("var")),
		"str(a),set-var(txn.x),secure_memcmp(txn.x)", "1"),
		Check: checkCompare, In: sample.Bin, Out: sample.Bool, Eval: secureCompare},
	gcm("aes_gcm_enc", "the block encrypted by AES-GCM; the authentication tag goes into a variable", sealGCM, false),
	gcm("aes_gcm_dec", "the block decrypted by AES-GCM, none when the tag does not fit", openGCM, true),
	cbc("aes_cbc_enc", "the block encrypted by AES-CBC", sealCBC,
		"str(hello),aes_cbc_enc(128,MDEyMzQ1Njc4OWFiY2RlZg==,MDEyMzQ1Njc4OWFiY2RlZg==),length", "16"),
	cbc("aes_cbc_dec", "the block decrypted by AES-CBC, none when its padding is wrong", openCBC,
		"str(hello),aes_cbc_enc(128,AAAA,MDEyMzQ1Njc4OWFiY2RlZg==),aes_cbc_dec(128,AAAA,MDEyMzQ1Njc4OWFiY2RlZg==)", "hello"),
}

func sha1Digest(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	sum := sha1.Sum(v.Bytes)
	return setBlock(ctx, v, sum[:])
}

// setBlock makes v a copy of a block.
func setBlock(ctx *sample.Context, v *sample.Value, b []byte) bool {
	v.SetBin(ctx.Scratch.Take(append(ctx.Scratch.Room(), b...)))
	return true
}

func checkSHA2(_ *sample.Compiler, a []sample.Arg) error {
	if !a[0].Present {
		a[0].Int = 256
	}
	switch a[0].Int {
	case 224, 256, 384, 512:
		return nil
	}
	return fmt.Errorf("Unsupported number of bits: '%d'", a[0].Int)
}

func sha2Digest(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	switch a[0].Int {
	case 224:
		sum := sha256.Sum224(v.Bytes)
		return setBlock(ctx, v, sum[:])
	case 384:
		sum := sha512.Sum384(v.Bytes)
		return setBlock(ctx, v, sum[:])
	case 512:
		sum := sha512.Sum512(v.Bytes)
		return setBlock(ctx, v, sum[:])
	}
	sum := sha256.Sum256(v.Bytes)
	return setBlock(ctx, v, sum[:])
}

// algorithm makes one digest.
type algorithm func() hash.Hash

// digests are the algorithms by their lower-case names. nil is an algorithm whose name OpenSSL knows without having it
// in a normal build: there is no value then.
var digests = map[string]algorithm{
	"md5": md5.New, "ssl3-md5": md5.New, "sha1": sha1.New, "sha-1": sha1.New, "ssl3-sha1": sha1.New,
	"sha224": sha256.New224, "sha2-224": sha256.New224, "sha-224": sha256.New224,
	"sha256": sha256.New, "sha2-256": sha256.New, "sha-256": sha256.New,
	"sha384": sha512.New384, "sha2-384": sha512.New384, "sha-384": sha512.New384,
	"sha512": sha512.New, "sha2-512": sha512.New, "sha-512": sha512.New,
	"sha512-224": sha512.New512_224, "sha512-256": sha512.New512_256, "sha2-512/224": sha512.New512_224, "sha2-512/256": sha512.New512_256,
	"sha3-224":   func() hash.Hash { return sha3.New224() },
	"sha3-256":   func() hash.Hash { return sha3.New256() },
	"sha3-384":   func() hash.Hash { return sha3.New384() },
	"sha3-512":   func() hash.Hash { return sha3.New512() },
	"blake2b512": newBLAKE2b, "blake2b-512": newBLAKE2b, "blake2s256": newBLAKE2s, "blake2s-256": newBLAKE2s,
	"ripemd160": ripemd160.New, "ripemd": ripemd160.New, "rmd160": ripemd160.New,
	"shake128": func() hash.Hash { return shake{sha3.NewSHAKE128(), 16} },
	"shake256": func() hash.Hash { return shake{sha3.NewSHAKE256(), 32} },
	"md5-sha1": func() hash.Hash { return md5SHA1{md5.New(), sha1.New()} },
	"md4":      nil, "whirlpool": nil,
}

func newBLAKE2b() hash.Hash { h, _ := blake2b.New512(nil); return h }
func newBLAKE2s() hash.Hash { h, _ := blake2s.New256(nil); return h }

// shake is SHAKE with the length that OpenSSL gives it.
type shake struct {
	*sha3.SHAKE
	size int
}

func (s shake) Size() int { return s.size }

func (s shake) Sum(b []byte) []byte {
	b = append(b, make([]byte, s.size)...)
	s.Read(b[len(b)-s.size:])
	return b
}

// md5SHA1 is both digests, one behind the other.
type md5SHA1 struct{ md5, sha1 hash.Hash }

func (d md5SHA1) Write(p []byte) (int, error) { d.md5.Write(p); return d.sha1.Write(p) }
func (d md5SHA1) Sum(b []byte) []byte         { return d.sha1.Sum(d.md5.Sum(b)) }
func (d md5SHA1) Reset()                      { d.md5.Reset(); d.sha1.Reset() }
func (d md5SHA1) Size() int                   { return md5.Size + sha1.Size }
func (d md5SHA1) BlockSize() int              { return sha1.BlockSize }

// algorithmOf finds a digest by its name, or by that of a signature scheme that uses it.
func algorithmOf(name string) (algorithm, bool) {
	name = strings.ToLower(name)
	if alg, ok := digests[name]; ok {
		return alg, true
	}
	own, ok := strings.CutPrefix(name, "rsa-")
	if !ok {
		if own, ok = strings.CutSuffix(name, "withrsaencryption"); !ok {
			own, ok = strings.CutSuffix(name, "withrsa")
		}
	}
	if !ok {
		return nil, false
	}
	alg, ok := digests[strings.Replace(own, "/", "-", 1)]
	return alg, ok
}

func checkDigest(_ *sample.Compiler, a []sample.Arg) error {
	alg, ok := algorithmOf(a[0].Str)
	if !ok {
		return errors.New("algorithm must be a valid OpenSSL message digest name.")
	}
	a[0].Data = alg
	return nil
}

func digest(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	alg := a[0].Data.(algorithm)
	if alg == nil {
		return false
	}
	h := alg()
	h.Write(v.Bytes)
	v.SetBin(ctx.Scratch.Take(h.Sum(ctx.Scratch.Room())))
	return true
}

func checkHMAC(c *sample.Compiler, a []sample.Arg) error {
	if err := checkDigest(c, a); err != nil {
		return err
	}
	if err := checkSecret(c, &a[1]); err != nil {
		return fmt.Errorf("failed to parse key : %w", err)
	}
	return nil
}

func keyedDigest(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	key, ok := secret(ctx, &a[1])
	alg := a[0].Data.(algorithm)
	if !ok || alg == nil {
		return false
	}
	if _, endless := alg().(shake); endless {
		return false // has no keyed form
	}
	h := hmac.New(alg, key)
	h.Write(v.Bytes)
	v.SetBin(ctx.Scratch.Take(h.Sum(ctx.Scratch.Room())))
	return true
}

// checkSecret reads an argument that is a variable, or bytes in base64 that go to Data.
func checkSecret(c *sample.Compiler, a *sample.Arg) error {
	if a.Str == "" {
		a.Data = []byte{}
		return nil
	}
	if v, err := c.Variable(a.Str); err == nil {
		a.Type, a.Var = keyword.Var, v
		return nil
	}
	b, ok := appendBase64(nil, a.Str)
	if !ok {
		return errors.New("argument needs to be base64 encoded, and can either be a string or a variable")
	}
	a.Data = b
	return nil
}

// secret gives the bytes of such an argument. A variable holds them in base64.
func secret(ctx *sample.Context, a *sample.Arg) ([]byte, bool) {
	if a.Type != keyword.Var {
		b, _ := a.Data.([]byte)
		return b, true
	}
	encoded, ok := varText(ctx, a.Var)
	if !ok {
		return nil, false
	}
	b, ok := appendBase64(ctx.Scratch.Room(), encoded)
	return ctx.Scratch.Take(b), ok
}

func secureCompare(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	var other sample.Value
	if !ctx.GetVar(a[0].Var, &other) || !sample.Cast(ctx, &other, sample.Bin) {
		return false
	}
	v.SetBool(subtle.ConstantTimeCompare(v.Bytes, other.Bytes) == 1)
	return true
}

type cipherFunc func(ctx *sample.Context, a []sample.Arg, key, nonce, extra []byte, v *sample.Value) bool

func gcm(name, summary string, run cipherFunc, decrypt bool) sample.Converter {
	tag := keyword.Arg{Name: "tag", Type: keyword.Str, Doc: "variable that takes the tag"}
	example := []string{"str(hi),aes_gcm_enc(128,MDEyMzQ1Njc4OWFi,MDEyMzQ1Njc4OWFiY2RlZg==,txn.tag),length", "2"}
	if decrypt {
		tag.Doc = "in base64, or a variable that holds it so"
		example = []string{"str(hi),aes_gcm_enc(128,MDEyMzQ1Njc4OWFi,MDEyMzQ1Njc4OWFiY2RlZg==,txn.tag)," +
			"aes_gcm_dec(128,MDEyMzQ1Njc4OWFi,MDEyMzQ1Njc4OWFiY2RlZg==,txn.tag)", "hi"}
	}
	return sample.Converter{
		Doc: doc(name, summary, append(aesArgs("nonce"), tag, opt(text("aad"))), example...),
		Check: func(c *sample.Compiler, a []sample.Arg) error {
			if err := checkAES(c, a); err != nil {
				return err
			}
			if decrypt {
				if err := checkSecret(c, &a[3]); err != nil {
					return fmt.Errorf("failed to parse aead_tag : %w", err)
				}
			} else {
				tag, err := c.Variable(a[3].Str)
				if err != nil {
					return fmt.Errorf("failed to parse aead_tag : %w", err)
				}
				a[3].Type, a[3].Var = keyword.Var, tag
			}
			return checkExtra(c, &a[4])
		},
		In: sample.Bin, Out: sample.Bin, Eval: withKeys(run, 4),
	}
}

func cbc(name, summary string, run cipherFunc, examples ...string) sample.Converter {
	return sample.Converter{
		Doc: doc(name, summary, append(aesArgs("iv"), opt(text("aad"))), examples...),
		Check: func(c *sample.Compiler, a []sample.Arg) error {
			if err := checkAES(c, a); err != nil {
				return err
			}
			return checkExtra(c, &a[3])
		},
		In: sample.Bin, Out: sample.Bin, Eval: withKeys(run, 3),
	}
}

func aesArgs(nonce string) []keyword.Arg {
	const doc = "in base64, or a variable that holds it so"
	return args(keyword.Arg{Name: "bits", Type: keyword.Int, Doc: "128, 192 or 256"},
		keyword.Arg{Name: nonce, Type: keyword.Str, Doc: doc}, keyword.Arg{Name: "key", Type: keyword.Str, Doc: doc})
}

func checkAES(c *sample.Compiler, a []sample.Arg) error {
	switch a[0].Int {
	case 128, 192, 256:
	default:
		return errors.New("key size must be 128, 192 or 256 (bits).")
	}
	if err := checkSecret(c, &a[1]); err != nil {
		return fmt.Errorf("failed to parse nonce : %w", err)
	}
	if err := checkSecret(c, &a[2]); err != nil {
		return fmt.Errorf("failed to parse key : %w", err)
	}
	return nil
}

func checkExtra(c *sample.Compiler, a *sample.Arg) error {
	if !a.Present {
		return nil
	}
	if err := checkSecret(c, a); err != nil {
		return fmt.Errorf("failed to parse aad : %w", err)
	}
	return nil
}

// withKeys gathers key, nonce and additional data. A key that is too short is filled with zeroes, one
// that is too long cut.
func withKeys(run cipherFunc, extraArg int) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
		nonce, ok := secret(ctx, &a[1])
		if !ok {
			return false
		}
		given, ok := secret(ctx, &a[2])
		if !ok {
			return false
		}
		key := make([]byte, a[0].Int/8)
		copy(key, given)
		var extra []byte
		if a[extraArg].Present {
			if extra, ok = secret(ctx, &a[extraArg]); !ok {
				return false
			}
		}
		return run(ctx, a, key, nonce, extra, v)
	}
}

func newGCM(key, nonce []byte) (cipher.AEAD, bool) {
	block, err := aes.NewCipher(key)
	if err != nil || len(nonce) == 0 {
		return nil, false
	}
	g, err := cipher.NewGCMWithNonceSize(block, len(nonce))
	return g, err == nil
}

func sealGCM(ctx *sample.Context, a []sample.Arg, key, nonce, extra []byte, v *sample.Value) bool {
	g, ok := newGCM(key, nonce)
	if !ok {
		return false
	}
	sealed := g.Seal(nil, nonce, v.Bytes, extra)
	n := len(v.Bytes)
	var tag sample.Value
	tag.SetBin(sealed[n:])
	cond := sample.SetCond(0)
	if a[3].Var.Scope == sample.ProcScope {
		cond = sample.IfExists
	}
	if !base64Encode(ctx, nil, &tag) || !ctx.SetVar(a[3].Var, &tag, cond) {
		return false
	}
	return setBlock(ctx, v, sealed[:n])
}

func openGCM(ctx *sample.Context, a []sample.Arg, key, nonce, extra []byte, v *sample.Value) bool {
	g, ok := newGCM(key, nonce)
	if !ok {
		return false
	}
	tag, ok := secret(ctx, &a[3])
	if !ok {
		return false
	}
	plain, err := g.Open(nil, nonce, slices.Concat(v.Bytes, tag), extra)
	return err == nil && setBlock(ctx, v, plain)
}

// newCBC pads the initialization vector with zeroes.
func newCBC(key, nonce []byte) (cipher.Block, []byte, bool) {
	block, err := aes.NewCipher(key)
	iv := make([]byte, aes.BlockSize)
	copy(iv, nonce)
	return block, iv, err == nil
}

func sealCBC(ctx *sample.Context, _ []sample.Arg, key, nonce, _ []byte, v *sample.Value) bool {
	block, iv, ok := newCBC(key, nonce)
	if !ok {
		return false
	}
	pad := aes.BlockSize - len(v.Bytes)%aes.BlockSize
	out := append(append(ctx.Scratch.Room(), v.Bytes...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	if out = ctx.Scratch.Take(out); out == nil {
		return false
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	v.SetBin(out)
	return true
}

func openCBC(ctx *sample.Context, _ []sample.Arg, key, nonce, _ []byte, v *sample.Value) bool {
	block, iv, ok := newCBC(key, nonce)
	n := len(v.Bytes)
	if !ok || n == 0 || n%aes.BlockSize != 0 {
		return false
	}
	out := ctx.Scratch.Alloc(n)
	if out == nil {
		return false
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, v.Bytes)
	pad := int(out[n-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(out[n-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return false
	}
	v.SetBin(out[:n-pad])
	return true
}
