package config

import "slices"

// Rows are what this package declares itself: the settings of the process, of
// proxies, listeners and servers.
func Rows() *Domain {
	return &Domain{
		Name:     "config",
		Sections: slices.Concat(globalSections(), proxySections(), userlistSections(), errorSections(), namespaceSections()),
		Keywords: slices.Concat(globalKeywords(), proxyKeywords(), timeoutKeywords(), switchingKeywords(), ruleKeywords(),
			captureKeywords(), errorKeywords(), userlistKeywords(), serverKeywords(), deprecatedKeywords(),
			[]Keyword{optionKeyword(), bindKeyword(), statsKeyword(), namespaceKeyword()}),
		Actions:     checkedActions(),
		Options:     options(),
		BindWords:   slices.Concat(checkedBindWords(), bindWords(), bindSocketWords(), []BindWord{bindNamespace()}),
		ServerWords: slices.Concat(checkedServerWords(), serverWords(), serverProtoWords(), serverSocketWords(), []ServerWord{serverNamespace()}),
		Check:       readHeaderCases,
	}
}
