package ssl

// What the tests that run the engine, which imports this package, share with the others.
var (
	Load        = load
	WriteFiles  = writeFiles
	Engines     = engines
	Noise       = noise
	Server      = tlsServer
	VersionName = versionName
	SuiteNames  = suiteNames
)
