package config

import (
	"fmt"
	"strings"
)

// longestProtocol is the most bytes that ALPN has room for in one name (RFC 7301, 3.1).
const longestProtocol = 255

// ProtocolNames reads the value of an option that offers protocols by ALPN, which messages call word.
func ProtocolNames(word, value string) ([]string, error) {
	if value == "" {
		return nil, fmt.Errorf("'%s' : missing the comma-delimited ALPN protocol suite", word)
	}
	list := strings.Split(value, ",")
	for _, protocol := range list {
		if len(protocol) > longestProtocol {
			return nil, fmt.Errorf("'%s' : ALPN protocol name too long : '%s'", word, protocol)
		}
	}
	return list, nil
}
