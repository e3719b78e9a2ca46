package postgres

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
)

// The server's own roles. A learner sees them in \du and has no right over them.
const (
	superuser = "storeroom"      // provisioning and limits; never runs what a learner wrote
	looker    = "storeroom_look" // lists and counts: reads all data, and is nothing more
)

// secret is what a cluster's own passwords are made from, 32 random bytes in a file of
// the server's. It is new for each copy: a learner may read the verifiers in a base
// backup, and a server that was taken over could, with one login of ours, log in to
// any other that has the same verifier.
type secret []byte

func newSecret() secret {
	s := make(secret, 32)
	rand.Read(s)
	return s
}

func readSecret(path string) (secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := hex.DecodeString(string(text))
	if err != nil || len(s) != 32 {
		return nil, fmt.Errorf("%s is damaged", path)
	}
	return s, nil
}

// write keeps the secret for the server's user alone.
func (s secret) write(path string) error {
	return os.WriteFile(path, []byte(hex.EncodeToString(s)), 0o600)
}

// password is a role's.
func (s secret) password(role string) string {
	m := hmac.New(sha256.New, s)
	m.Write([]byte(role))
	return hex.EncodeToString(m.Sum(nil))
}

// scramRounds is the iteration count of new passwords; see settings.
const scramRounds = 1

// verifier is what PostgreSQL stores for a password, in the form of RFC 5803. One round
// is enough for 256 random bits.
func verifier(password string) (string, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramRounds, sha256.Size)
	if err != nil {
		return "", err
	}
	sign := func(text string) []byte {
		m := hmac.New(sha256.New, salted)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramRounds, b64(salt), b64(stored[:]), b64(sign("Server Key"))), nil
}
