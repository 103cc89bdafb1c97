package ssl

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"

	"hapax/runtime/config"
)

// smallestDH is the size of the smallest group that OpenSSL takes at its usual level of security.
const smallestDH = 2048

// dhBits is the size of the group that a block of a PEM file describes; 0 when it describes none.
func dhBits(block *pem.Block) int {
	var group struct{ Prime, Generator *big.Int }
	if block.Type != "DH PARAMETERS" {
		return 0
	}
	if _, err := asn1.Unmarshal(block.Bytes, &group); err != nil {
		return 0
	}
	return group.Prime.BitLen()
}

// warnDH tells which certificates stand with a group that OpenSSL would refuse: its suites of Diffie-Hellman would go,
// which are missing here in any case.
func (g *settings) warnDH(uses []*use) config.Warning {
	var text strings.Builder
	for _, u := range uses {
		name, own := u.entry.name, u.entry.cert.dh
		switch {
		case own >= smallestDH || own == 0 && g.dhFile >= smallestDH:
		case own > 0:
			fmt.Fprintf(&text, "unable to load the DH parameter specified in '%s', DH ciphers won't be available.\n", name)
		case g.dhFile > 0:
			fmt.Fprintf(&text, "unable to use the global DH parameter for certificate '%s', DH ciphers won't be available.\n", name)
		case g.shortDH:
			fmt.Fprintf(&text, "unable to load default 1024 bits DH parameter for certificate '%s'.\n, DH ciphers won't be available.\n", name)
		}
	}
	return config.Warning(text.String())
}
