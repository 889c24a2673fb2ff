package scenario

// Info describes a built-in scenario.
type Info struct {
	Name        string
	Description string // one line
}

// Builtins returns the built-in scenarios in the order in which they are listed.
func Builtins() []Info { return nil }

// Builtin parses the built-in scenario of this name.
func Builtin(name string) (*Scenario, error) { return Parse(name, nil, nil) }

// BuiltinSource returns the XML text of the built-in scenario of this name.
func BuiltinSource(name string) ([]byte, error) { return nil, nil }

// Load reads a scenario file.
func Load(path string) (*Scenario, error) { return Parse(path, nil, nil) }

// Open finds a scenario by the name of a built-in or by its path.
func Open(nameOrPath string) (*Scenario, error) { return Load(nameOrPath) }
