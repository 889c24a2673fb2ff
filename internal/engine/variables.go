package engine

import "github.com/gossipper/gossipper/internal/scenario"

// value is the value of a scenario variable.
type value struct {
	text []byte
	set  bool
}

// resetValues returns n values that are not set, in the memory of old ones.
func resetValues(old []value, n int) []value {
	if cap(old) < n {
		return make([]value, n)
	}
	old = old[:n]
	for i := range old {
		old[i] = value{text: old[i].text[:0]}
	}
	return old
}

// variable returns the variable with the number. Those of wider scope belong to the loop: users, who would keep their own, come with
// user mode.
func (c *call) variable(number int) *value {
	if c.loop.plan.scenario.Variables[number].Scope == scenario.PerCall {
		return &c.variables[number]
	}
	return &c.loop.globals[number]
}

// assign sets a variable.
func (c *call) assign(number int, text []byte) {
	v := c.variable(number)
	v.text = append(v.text[:0], text...)
	v.set = true
}

// AppendVariable appends the value of a variable to a message that is being rendered.
func (c *call) AppendVariable(dst []byte, name string) ([]byte, bool) {
	number, ok := c.loop.plan.variables[name]
	if !ok {
		return dst, false
	}
	v := c.variable(number)
	if !v.set {
		return dst, false
	}
	return append(dst, v.text...), true
}
