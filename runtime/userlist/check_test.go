package userlist

import (
	"strings"
	"testing"
)

// hashes were made by crypt(3) of libxcrypt.
var hashes = []struct{ password, hash string }{
	{"secret", "abNANd1rDfiNc"},
	{"pässword with a long tail", "zz1gRNo49znZ6"},
	{"", "..X8NBuQ4l6uQ"},
	{"12345678", "ZzghNB6kZv6hQ"},
	{"123456789 and more", "ZzghNB6kZv6hQ"},
	{"secret", "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1"},
	{"p\xc3\xa4ss", "$1$12345678$68oBw8JKveyYdt.ZQmCas1"},
	{"secret", "$5$rounds=1000$abcdefgh$XIppta5rT8zJUu4vAOKQXrwq9uY4Ijlz6VjyOmkx5i4"},
	{"secret", "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."},
	{strings.Repeat("a", 100), "$6$rounds=5000$saltstringsaltst$4mxZT/REFDKJbQbMWPvrox58t5gRba07maYVNOFQURqTVWdsMR2daa6I1VRBoEj4QEDJYOrAQU.7mwuFhIntU0"},
	{"secret", "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"},
	{strings.Repeat("a", 100), "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe"},
	{"x", "$2a$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"},
	{"secret", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$GmcwIgvdUC9qLWcKCi6gklUa1dM3ziD43YxYNURLKy0"},
	{"secret", "$y$j9T$.zzzzzzz$BKfV1CgTpQJzi8s2n9sytnDm8glhP9.Yl.oCtpDNeI1"},
	{"secret", "$y$j75$ab..$VjZoSqR2z5Y50EKjypfmgHqP1T8r5CqDW4w0Sg.sm6B"},
	{"secret", "$y$j85$ab0.$juCRFqvCDL0dNpyyaeJuXMEM1GHcQbEroECiCRsFu7."},
	{"secret", "$y$jA5/.$LdJMENpBABJJ3hIHjB1Bi.$QWqdSQaLAfuHpjX5y.COXI1VVkKezDz2QeyjcZZajc1"},
	{"secret", "$y$j75.0$LdJMENpBABJJ3hIHjB1Bi.$O67umAnZKMIFCF7ZazI086wLwxGhTSVVWrfDPpOHT07"},
	{"", "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$tUlUF19mIl6XpRTpX7LBp5ABKS8KSmDfP1gXFrZ6Sy8"},
}

func TestCheck(t *testing.T) {
	for _, h := range hashes {
		if !Check(h.hash, []byte(h.password)) {
			t.Errorf("%q does not give %s", h.password, h.hash)
		}
		if !Check(h.hash, []byte(h.password+"\x00more")) {
			t.Errorf("%q does not end at its zero for %s", h.password, h.hash)
		}
		wrong := "x" + h.password
		if Check(h.hash, []byte(wrong)) {
			t.Errorf("%q gives %s", wrong, h.hash)
		}
		if h.password != "" && Check(h.hash, nil) {
			t.Errorf("nothing gives %s", h.hash)
		}
	}
}

// TestMalformed: hashes that crypt(3) refuses match no password.
func TestMalformed(t *testing.T) {
	for _, hash := range []string{"", "x", "secret", "$", "$$", "$9$a$b", "$y", "$y$", "$y$j9T$", "$y$j9T$$", "$y$j9T$x$y", "$y$zzz$abcd$x", "$y$j!T$abcd$x",
		"$y$j9TA$abcd$x", "$2y$99$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", "$1$", "$5$", "$6$rounds=x$y$z", "*0", "!!NANd1rDfiNc"} {
		for _, p := range []string{"", "secret", hash} {
			if Check(hash, []byte(p)) {
				t.Errorf("%q gives %q", p, hash)
			}
		}
	}
}

func TestSame(t *testing.T) {
	if !Same("secret", []byte("secret")) || Same("secret", []byte("Secret")) || Same("secret", nil) {
		t.Error("passwords in clear")
	}
}

func FuzzCheck(f *testing.F) {
	for _, h := range hashes {
		f.Add(h.hash, h.password)
	}
	f.Fuzz(func(t *testing.T, hash, password string) {
		if cost(hash) {
			return
		}
		Check(hash, []byte(password))
	})
}

// cost tells whether a hash may take long: by intent, or with more memory than a test should use.
func cost(hash string) bool {
	if strings.HasPrefix(hash, "$2") || strings.Contains(hash, "rounds=") {
		return true
	}
	parts := strings.Split(hash, "$")
	if len(parts) < 3 || parts[1] != "y" {
		return false
	}
	y, ok := yescryptParams(parts[2])
	return ok && (y.n*uint64(y.r)*uint64(max(y.t, 1)) > 1<<17 || y.r > 1<<12 || y.p > 16)
}

func BenchmarkCheck(b *testing.B) {
	for _, hash := range []string{"abNANd1rDfiNc", "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
		"$y$j9T$F5Jx5fExrKuPp53xLKQ..1$GmcwIgvdUC9qLWcKCi6gklUa1dM3ziD43YxYNURLKy0"} {
		b.Run(hash[:3], func(b *testing.B) {
			for b.Loop() {
				if hash[0] == '$' {
					compute(hash, []byte("secret"))
				} else {
					checkDES(hash, []byte("secret"))
				}
			}
		})
		b.Run(hash[:3]+" again", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Check(hash, []byte("secret"))
			}
		})
	}
}
