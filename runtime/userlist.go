package runtime

import (
	"slices"

	"hapax/runtime/userlist"
)

// Userlist is a userlist section. Section 12.2 of the manual.
type Userlist struct {
	Name   string
	Users  []*User
	Groups []string
}

// User is one user of a list.
type User struct {
	Name     string
	Password string
	Insecure bool // the password is in clear
	Groups   []string
}

// User by name; nil when there is none.
func (u *Userlist) User(name []byte) *User {
	for _, x := range u.Users {
		if x.Name == string(name) {
			return x
		}
	}
	return nil
}

// Check tells whether it is the user's password. A hash that is slow to compute
// blocks the caller for milliseconds the first time it is right, and always when
// it is wrong.
func (u *User) Check(password []byte) bool {
	if u.Insecure {
		return userlist.Same(u.Password, password)
	}
	return userlist.Check(u.Password, password)
}

// Check tells whether the list has the user with this password.
func (u *Userlist) Check(user, password []byte) bool {
	x := u.User(user)
	return x != nil && x.Check(password)
}

// Member tells whether the user belongs to the group.
func (u *Userlist) Member(user []byte, group string) bool {
	x := u.User(user)
	return x != nil && slices.Contains(x.Groups, group)
}

// HasGroup tells whether the list declares the group.
func (u *Userlist) HasGroup(name string) bool { return slices.Contains(u.Groups, name) }
