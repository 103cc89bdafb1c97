// Package process is the life of the program's processes: the one that the user
// starts, the daemon, the master and its workers; what each inherits from the one
// before, what each leaves to the next, and the order in which a serving process
// comes up and goes down (management guide, sections 3 and 4).
//
// Go cannot fork, so a process that needs another one executes the program again,
// by the path it was called by and under the same name. What the new process has
// to know stands in one variable of its environment (Birth); pipes tell the
// parent whether it came up.
package process
