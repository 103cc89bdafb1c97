package lua

import (
	"strings"

	"hapax/runtime/lua/lua54"
)

// certificateFields are the parts of a certificate that CertCache.set may change, as the files are called that hold them.
const certificateFields = ",crt,key,ocsp,issuer,sctl,"

// declareCertCache makes the table CertCache.
func (st *state) declareCertCache() {
	s := st.main
	s.NewTable()
	st.fill(s, []method{{"set", setCertificate}})
	s.SetGlobal("CertCache")
}

// setCertificate is `CertCache.set{filename=, crt=, ...}`: what the runtime API does with "set ssl cert" and "commit ssl cert".
func setCertificate(c call) int {
	if c.Top() == 0 || c.Type(-1) != lua54.TypeTable {
		return c.Errorf("'CertCache.set' needs a table as argument")
	}
	if t := c.thread(); t != nil && !t.mayWait {
		return c.Errorf("Cannot use CertCache.set from a non-yield capable runtime context")
	}
	at := c.Top()
	if c.Field(at, "filename") != lua54.TypeString {
		return c.Errorf("No filename specified!")
	}
	file := c.Str(-1)
	var lines []string
	for c.PushNil(); c.Next(at); c.Pop(1) {
		if c.Type(-2) != lua54.TypeString || c.Str(-2) == "filename" {
			continue
		}
		name := c.Str(-2)
		if !strings.Contains(certificateFields, ","+name+",") {
			return c.Errorf("Unsupported field '%s'", name)
		}
		target := file
		if name != "crt" {
			target += "." + name
		}
		lines = append(lines, "set ssl cert "+word(target)+" <<%end%\n"+c.Str(-1)+"\n%end%")
	}
	h := c.host("CertCache.set")
	fault := ""
	return c.send(func() {
		for _, line := range append(lines, "commit ssl cert "+word(file)) {
			said := h.Run(line)
			if i := strings.Index(said, "Can't"); i >= 0 {
				fault = strings.TrimSpace(said[i:])
				h.Run("abort ssl cert " + word(file))
				return
			}
		}
	}, func(c call) int {
		if fault != "" {
			return c.Errorf("%s", fault)
		}
		return 0
	})
}
