package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/access"
)

// Auth knows the tokens of the installation, or that none is needed.
type Auth struct {
	tokens []token
	open   bool
}

// token is what is kept of a token. Its text is at least 128 random bits, so that
// a fast hash without salt is enough.
type token struct {
	Name   string      `json:"name"`
	Role   access.Role `json:"role"`
	SHA256 string      `json:"sha256"` // of the token's text, in hex
}

type tokenFile struct {
	Version int     `json:"version"`
	Tokens  []token `json:"tokens"`
}

const (
	tokenFileName = "tokens.json"
	adminName     = "admin"
	// LeastToken is the fewest characters that a token of the user's own has.
	LeastToken = 8
)

// Open is the authentication of a demo: no token is asked for. The server then
// answers only requests that come from the same machine, by a loopback name, and
// not from another site's page.
func Open() *Auth { return &Auth{open: true} }

// LoadOrCreateAdmin reads the tokens kept in dir. Where none is, it creates the
// admin's and returns it as newToken, to be shown once: only its hash is kept. A
// supplied token, where not empty, is the admin's instead, and is not kept.
func LoadOrCreateAdmin(dir, supplied string) (_ *Auth, newToken string, err error) {
	tokens, err := loadTokens(filepath.Join(dir, tokenFileName))
	if err != nil {
		return nil, "", err
	}
	if supplied = strings.TrimSpace(supplied); supplied != "" {
		if len(supplied) < LeastToken || strings.ContainsFunc(supplied, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, "", fmt.Errorf("admin token: must be at least %d printable ASCII characters without spaces", LeastToken)
		}
		others := []token{{adminName, access.RoleAdmin, hashOf(supplied)}}
		for _, t := range tokens {
			if t.Name != adminName {
				others = append(others, t)
			}
		}
		return &Auth{tokens: others}, "", nil
	}
	if len(tokens) > 0 {
		return &Auth{tokens: tokens}, "", nil
	}
	newToken = "spotter_" + rand.Text() // 130 bits
	tokens = []token{{adminName, access.RoleAdmin, hashOf(newToken)}}
	if err := saveTokens(dir, tokens); err != nil {
		return nil, "", err
	}
	return &Auth{tokens: tokens}, newToken, nil
}

func loadTokens(path string) ([]token, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	var file tokenFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("read tokens in %s: %w", path, err)
	}
	if file.Version != 1 || len(file.Tokens) == 0 {
		return nil, fmt.Errorf("read tokens in %s: not a list of tokens that this program knows", path)
	}
	return file.Tokens, nil
}

func saveTokens(dir string, tokens []token) error {
	data, err := json.Marshal(&tokenFile{1, tokens}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("save tokens: %w", err)
	}
	if err := access.Replace(filepath.Join(dir, tokenFileName), append(data, '\n')); err != nil {
		return fmt.Errorf("save tokens: %w", err)
	}
	return nil
}

// who finds the owner of a token, in a time that does not tell how much of it was
// right.
func (a *Auth) who(text string) (identity, bool) {
	hash := []byte(hashOf(text))
	found := -1
	for i := range a.tokens {
		if subtle.ConstantTimeCompare(hash, []byte(a.tokens[i].SHA256)) == 1 {
			found = i
		}
	}
	if found < 0 {
		return identity{}, false
	}
	return identity{Name: a.tokens[found].Name, Role: a.tokens[found].Role}, true
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
