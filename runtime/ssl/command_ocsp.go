package ssl

// printOCSP writes a response as OpenSSL does.
func printOCSP(der []byte) string { return "" }
