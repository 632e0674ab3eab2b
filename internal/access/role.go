package access

import "fmt"

// Role says what a token may do over HTTP. Sensors, gateways and kiosks have a
// Kind instead.
type Role string

// The roles.
const (
	RoleAdmin   Role = "admin"   // everything
	RoleCoach   Role = "coach"   // the athletes of one site, or of all
	RoleAthlete Role = "athlete" // only themselves
	RoleCheckIn Role = "checkin" // one athlete's check-ins, by a link
)

// UnmarshalText reads a role's name.
func (r *Role) UnmarshalText(text []byte) error {
	switch found := Role(text); found {
	case RoleAdmin, RoleCoach, RoleAthlete, RoleCheckIn:
		*r = found
		return nil
	}
	return fmt.Errorf("role %.40q is not known to this program", text)
}
