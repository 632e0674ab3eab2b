package access

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

const hour = time.Hour

func create(t *testing.T, s *Tokens, token Token, now time.Time) string {
	t.Helper()
	text, err := s.Create(token, now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestALinkIsUsedAsOftenAsItMayBeAndSignsNothing(t *testing.T) {
	dir := t.TempDir()
	s := TokensIn(dir)
	text := create(t, s, Token{Name: "link-1", Role: RoleCheckIn, Athlete: "ana", Expires: noon.Add(hour), Uses: 2}, noon)
	if _, ok, err := s.Find(text, noon); ok || err != nil {
		t.Errorf("a link signs requests: %v, %v", ok, err)
	}
	for i := range 3 {
		if peeked, ok, err := TokensIn(dir).Peek(text, noon); ok != (i < 2) || err != nil || ok && peeked.Athlete != "ana" {
			t.Errorf("look %d: %+v, %v, %v", i, peeked, ok, err)
		}
		taken, ok, err := TokensIn(dir).Take(text, noon) // as after a restart
		if err != nil || ok != (i < 2) {
			t.Errorf("use %d: %+v, %v, %v", i, taken, ok, err)
		}
	}
	late := create(t, s, Token{Name: "link-2", Role: RoleCheckIn, Athlete: "ana", Expires: noon.Add(hour), Uses: 1}, noon)
	if _, ok, err := s.Take(late, noon.Add(hour)); ok || err != nil {
		t.Errorf("a link that is over is taken: %v, %v", ok, err)
	}
	free := create(t, s, Token{Name: "link-3", Role: RoleCheckIn, Athlete: "ana", Expires: noon.Add(hour)}, noon)
	for range 5 {
		if _, ok, err := s.Take(free, noon); !ok || err != nil {
			t.Errorf("a link for any number of times: %v, %v", ok, err)
		}
	}
	// A new one sweeps those that are over.
	create(t, s, Token{Name: "coach", Role: RoleCoach}, noon.Add(2*hour))
	if all, err := s.List(); err != nil || len(all) != 1 {
		t.Errorf("kept are %+v, %v", all, err)
	}
}

func TestTheLastUseGoesToOne(t *testing.T) {
	dir := t.TempDir()
	text := create(t, TokensIn(dir), Token{Name: "link", Role: RoleCheckIn, Athlete: "ana", Expires: noon.Add(hour), Uses: 5}, noon)
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		s := TokensIn(dir) // as another process has it
		all.Go(func() {
			for range 10 {
				_, ok, err := s.Take(text, noon)
				if err != nil {
					t.Error(err)
				}
				if ok {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	if taken.Load() != 5 {
		t.Errorf("taken %d times, want 5", taken.Load())
	}
}

func TestWhatSeveralProcessesWriteIsAllKept(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		s := TokensIn(dir)
		all.Go(func() {
			for _, n := range []string{"1", "2", "3", "4", "5"} {
				text, err := s.Create(Token{Name: name + n, Role: RoleCoach}, noon)
				if err != nil {
					t.Error(err)
					return
				}
				found, ok, err := s.Find(text, noon)
				if err != nil || !ok {
					t.Errorf("%s is not found: %v", name+n, err)
				}
				if err := s.Mark(found, noon); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	tokens, err := TokensIn(dir).List()
	if err != nil || len(tokens) != 20 {
		t.Fatalf("%d tokens are kept, %v", len(tokens), err)
	}
	for _, token := range tokens {
		if token.Used != "2026-11-22" {
			t.Errorf("%s was used on %q", token.Name, token.Used)
		}
	}
}

func TestAnotherProcessesChangeIsSeenAtOnce(t *testing.T) {
	dir := t.TempDir()
	server, command := TokensIn(dir), TokensIn(dir)
	text := create(t, command, Token{Name: "coach", Role: RoleCoach, Site: "main", Expires: noon.Add(hour)}, noon)
	if got, ok, err := server.Find(text, noon); !ok || err != nil || got.Site != "main" {
		t.Errorf("a new token: %+v, %v, %v", got, ok, err)
	}
	if _, ok, _ := server.Find(text, noon.Add(hour)); ok {
		t.Error("an expired token is let in")
	}
	if err := command.Revoke("coach", noon); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := server.Find(text, noon); ok || err != nil {
		t.Errorf("a revoked token: %v, %v", ok, err)
	}
	if err := command.Revoke("coach", noon); !errors.Is(err, ErrTokenUnknown) {
		t.Error(err)
	}
}

func TestThereIsAlwaysAnAdmin(t *testing.T) {
	s := TokensIn(t.TempDir())
	text, err := s.EnsureAdmin(noon)
	if err != nil || text == "" {
		t.Fatal(text, err)
	}
	if again, err := s.EnsureAdmin(noon); again != "" || err != nil {
		t.Errorf("a second first admin %q, %v", again, err)
	}
	if err := s.Revoke(AdminName, noon); !errors.Is(err, ErrLastAdmin) {
		t.Error(err)
	}
	create(t, s, Token{Name: "short", Role: RoleAdmin, Expires: noon.Add(hour)}, noon)
	if err := s.Revoke(AdminName, noon); err != nil {
		t.Error(err)
	}
	create(t, s, Token{Name: "coach", Role: RoleCoach}, noon)
	if text, err := s.EnsureAdmin(noon.Add(hour)); text == "" || err != nil {
		t.Errorf("after the last one has expired: %q, %v", text, err)
	}
	if all, _ := s.List(); len(all) != 3 {
		t.Errorf("the others are not kept: %+v", all)
	}
}

func TestAnErasedAthletesTokensGo(t *testing.T) {
	s := TokensIn(t.TempDir())
	for _, token := range []Token{
		{Name: "a1", Role: RoleAthlete, Athlete: "ana"}, {Name: "a2", Role: RoleCheckIn, Athlete: "ana", Expires: noon.Add(hour)},
		{Name: "b1", Role: RoleAthlete, Athlete: "bo"}, {Name: "c1", Role: RoleCoach},
	} {
		create(t, s, token, noon)
	}
	if n, err := s.RevokeOf("ana"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	sessions := SessionsIn(t.TempDir())
	for _, athlete := range []lift.AthleteID{"ana", "bo", ""} {
		if _, _, err := sessions.Begin(Session{Athlete: athlete}, noon); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := sessions.EndOf("ana"); n != 1 || err != nil {
		t.Errorf("%d sessions, %v", n, err)
	}
	if n, err := sessions.EndOf(""); n != 0 || err != nil {
		t.Errorf("%d sessions of nobody, %v", n, err)
	}
	if n, err := s.RevokeOf(""); n != 0 || err != nil {
		t.Errorf("nobody's: %d, %v", n, err)
	}
	if all, _ := s.List(); len(all) != 2 {
		t.Errorf("left are %+v", all)
	}
}

func TestABrokenFileLetsNobodyIn(t *testing.T) {
	dir := t.TempDir()
	s := TokensIn(dir)
	text := create(t, s, Token{Name: "coach", Role: RoleCoach}, noon)
	for _, broken := range []string{"", "{", `{"version":2,"tokens":[{"name":"a","role":"coach","sha256":"x"}]}`, `{"version":1,"tokens":[]}`, `{"version":1,"tokens":[{"name":"a","role":"god","sha256":"x"}]}`} {
		if err := os.WriteFile(filepath.Join(dir, "tokens.json"), []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Find(text, noon); ok || err == nil {
			t.Errorf("with %q: %v, %v", broken, ok, err)
		}
		if _, err := s.Create(Token{Name: "b", Role: RoleCoach}, noon); err == nil {
			t.Errorf("%q is written over", broken)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := SessionsIn(t.TempDir())
	text, expires, err := s.Begin(Session{Name: "maria", Role: RoleCoach, Expires: noon.Add(hour)}, noon)
	if err != nil || !expires.Equal(noon.Add(hour)) {
		t.Fatal(expires, err)
	}
	if got, ok, err := s.Find(text, noon); !ok || err != nil || got.Name != "maria" {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	full := make([]Session, mostSessions)
	for i := range full {
		full[i] = Session{SHA256: lift.Digest("session", string(rune(i))), Expires: noon.Add(2 * hour)}
	}
	err = s.shelf.change(func(all []Session) ([]Session, error) { return append(all, full...), nil })
	if err != nil {
		t.Fatal(err)
	}
	last, _, err := s.Begin(Session{Name: "last"}, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := s.Find(last, noon.Add(time.Minute)); !ok {
		t.Error("with too many the newest is refused")
	}
	if all, _ := s.shelf.list(); len(all) != mostSessions {
		t.Errorf("%d sessions are kept", len(all))
	}
	if _, ok, _ := s.Find(text, noon); ok {
		t.Error("the oldest is kept")
	}
}

func TestNobodyCrowdsTheOthersOut(t *testing.T) {
	dir := t.TempDir()
	tokens, sessions := TokensIn(dir), SessionsIn(dir)
	link := func(n int, of lift.AthleteID) string {
		return create(t, tokens, Token{Name: "link-" + string(of) + strconv.Itoa(n), Role: RoleCheckIn, Athlete: of, Expires: noon.Add(hour), Uses: 1}, noon)
	}
	other := link(0, "bob")
	var links []string
	for i := range mostLinks + 1 {
		links = append(links, link(i, "ana"))
	}
	for i, text := range append(links, other) {
		if _, ok, err := tokens.Peek(text, noon); ok != (i > 0) || err != nil {
			t.Errorf("link %d is there: %v, %v", i, ok, err)
		}
	}
	begin := func(s Session) string {
		text, _, err := sessions.Begin(s, noon)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	kept := []string{begin(Session{Token: "of a coach"}), begin(Session{Name: "oidc:ben"})}
	first := begin(Session{Token: "of an athlete"})
	for range mostOfOne {
		begin(Session{Token: "of an athlete"})
	}
	for i, text := range append(kept, first) {
		if _, ok, err := sessions.Find(text, noon); ok != (i < len(kept)) || err != nil {
			t.Errorf("session %d is there: %v, %v", i, ok, err)
		}
	}
}
