package x509text

import (
	"encoding/asn1"
	"testing"
)

func name(t *testing.T, sets ...attributeSET) []byte {
	der, err := asn1.Marshal(sets)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func text(oid asn1.ObjectIdentifier, tag int, value string) attribute {
	return attribute{oid, asn1.RawValue{Tag: tag, Bytes: []byte(value)}}
}

var (
	cn, ou, own = asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 11}, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
)

func TestNames(t *testing.T) {
	der := name(t, attributeSET{text(ou, asn1.TagUTF8String, "#one, two")}, attributeSET{text(cn, asn1.TagPrintableString, "joe"), text(ou, asn1.TagUTF8String, " é ")},
		attributeSET{text(own, asn1.TagUTF8String, "x")}, attributeSET{text(cn, asn1.TagBMPString, "\x00J\x00\xf6")}, attributeSET{text(cn, asn1.TagOctetString, "y")})
	if got, want := string(AppendName(nil, der)), "/OU=#one, two/CN=joe/OU= é /1.3.6.1.4.1.99999.1=x/CN=\x00J\x00\xf6/CN=y"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := string(AppendRFC2253(nil, der)), `CN=#040179,CN=J\C3\B6,1.3.6.1.4.1.99999.1=#0C0178,OU=\ \C3\A9\ +CN=joe,OU=\#one\, two`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, c := range []struct {
		entry string
		n     int64
		want  string
		ok    bool
	}{
		{"cn", 1, "joe", true}, {"CN", -1, "y", true}, {"CN", 4, "", false}, {"CN", -4, "", false}, {"CN", 0, "", false}, {"OU", 2, " é ", true}, {"O", 1, "", false},
	} {
		if got, ok := NameEntry(der, c.entry, c.n); string(got) != c.want || ok != c.ok {
			t.Errorf("%s %d: %q, %v", c.entry, c.n, got, ok)
		}
	}
}

// FuzzName: names are bytes that anybody may have written.
func FuzzName(f *testing.F) {
	f.Add([]byte("0\x0c1\x0a0\x08\x06\x03U\x04\x03\x0c\x01a"))
	f.Fuzz(func(t *testing.T, der []byte) {
		if AppendName(nil, der) == nil != (AppendRFC2253(nil, der) == nil) {
			t.Fatalf("%x", der)
		}
		NameEntry(der, "CN", -1)
		appendGeneralName(nil, &asn1.RawValue{Tag: 4, Bytes: der})
		appendGeneralName(nil, &asn1.RawValue{Tag: 7, Bytes: der})
		appendGeneralName(nil, &asn1.RawValue{Tag: 8, Bytes: der})
	})
}
