package command

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"

	"github.com/xdg-go/stringprep"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// scram is one of the two mechanisms (RFC 5802, RFC 7677).
type scram struct {
	name       string
	hash       func() hash.Hash
	iterations int
}

func scramNamed(name string) *scram {
	switch name {
	case "SCRAM-SHA-1":
		return &scram{name, sha1.New, 10_000}
	case "SCRAM-SHA-256":
		return &scram{name, sha256.New, 15_000}
	}
	return nil
}

// digest is the password as the mechanism uses it: SHA-1 takes MongoDB's old hash of
// it, SHA-256 the prepared text itself.
func (m *scram) digest(user, password string) (string, error) {
	if m.name == "SCRAM-SHA-1" {
		sum := md5.Sum([]byte(user + ":mongo:" + password))
		return hex.EncodeToString(sum[:]), nil
	}
	prepared, err := stringprep.SASLprep.Prepare(password)
	if err != nil {
		return "", mongoerr.New(mongoerr.BadValue, "the password contains characters that are not allowed: %s", err)
	}
	return prepared, nil
}

// index is the mechanism's place in counts of both.
func (m *scram) index() int {
	if m.name == "SCRAM-SHA-1" {
		return 0
	}
	return 1
}

// parameter names the server's parameter of how often new passwords are hashed.
func (m *scram) parameter() string {
	if m.name == "SCRAM-SHA-1" {
		return "scramIterationCount"
	}
	return "scramSHA256IterationCount"
}

// credential makes what is stored of a password, of which it takes the digest.
func (m *scram) credential(digest string) (bsonval.Doc, error) {
	salt := make([]byte, m.hash().Size()-4)
	rand.Read(salt) //nolint:errcheck // never fails
	salted, err := pbkdf2.Key(m.hash, digest, salt, m.iterations, m.hash().Size())
	if err != nil {
		return nil, err
	}
	h := m.hash()
	h.Write(m.mac(salted, "Client Key"))
	enc := base64.StdEncoding.EncodeToString
	var b bsonval.Builder
	b.Int32("iterationCount", int32(m.iterations)).Str("salt", enc(salt))
	b.Str("storedKey", enc(h.Sum(nil))).Str("serverKey", enc(m.mac(salted, "Server Key")))
	return b.Doc(), nil
}

func (m *scram) mac(key []byte, text string) []byte {
	h := hmac.New(m.hash, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// login is an authentication that is going on.
type login struct {
	mech       *scram
	user, db   string
	first      string // the client's first message, without its header
	challenge  string // the server's
	nonce      string
	credential bsonval.Doc
	step       int
	skipEmpty  bool
}

// errAuth says nothing of what was wrong, on purpose.
func errAuth() error { return mongoerr.New(mongoerr.AuthenticationFailed, "Authentication failed.") }

// begin answers the challenge to a client's first message.
func (l *login) begin(s *Server, payload string) (string, error) {
	header, rest, ok := cutHeader(payload)
	if !ok || header != "n,," && header != "y,," {
		return "", mongoerr.New(mongoerr.BadValue, "Incorrect number of arguments for first SCRAM client message")
	}
	l.first = rest
	fields := scramFields(rest)
	l.user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(fields["n"])
	if fields["n"] == "" || fields["r"] == "" {
		return "", mongoerr.New(mongoerr.BadValue, "Invalid SCRAM user name or nonce")
	}
	u := s.findUser(l.user, l.db)
	if u != nil {
		if l.credential = u.Get("credentials").Doc().Get(l.mech.name).Doc(); len(l.credential) <= 5 {
			return "", errAuth() // a driver that only guessed the mechanism tries the other
		}
	} else { // the same conversation, which can't succeed
		l.credential, _ = l.mech.credential(rand.Text())
	}
	l.nonce = fields["r"] + rand.Text()
	l.challenge = "r=" + l.nonce + ",s=" + l.credential.Get("salt").Str() + ",i=" + strconv.Itoa(int(l.credential.Get("iterationCount").Long()))
	return l.challenge, nil
}

func cutHeader(s string) (header, rest string, ok bool) {
	i := strings.IndexByte(s, ',')
	if i < 0 {
		return "", "", false
	}
	j := strings.IndexByte(s[i+1:], ',')
	if j < 0 {
		return "", "", false
	}
	return s[:i+j+2], s[i+j+2:], true
}

func scramFields(s string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		if name, v, ok := strings.Cut(part, "="); ok {
			out[name] = v
		}
	}
	return out
}

// prove checks the client's proof and answers the server's signature.
func (l *login) prove(payload string) (string, error) {
	fields := scramFields(payload)
	proof, err := base64.StdEncoding.DecodeString(fields["p"])
	i := strings.LastIndex(payload, ",p=")
	if err != nil || i < 0 || fields["r"] != l.nonce {
		return "", errAuth()
	}
	message := l.first + "," + l.challenge + "," + payload[:i]
	stored, err1 := base64.StdEncoding.DecodeString(l.credential.Get("storedKey").Str())
	server, err2 := base64.StdEncoding.DecodeString(l.credential.Get("serverKey").Str())
	if err1 != nil || err2 != nil || len(proof) != len(stored) {
		return "", errAuth()
	}
	signature := l.mech.mac(stored, message)
	key := make([]byte, len(proof))
	subtle.XORBytes(key, proof, signature)
	h := l.mech.hash()
	h.Write(key)
	if subtle.ConstantTimeCompare(h.Sum(nil), stored) != 1 {
		return "", errAuth()
	}
	return "v=" + base64.StdEncoding.EncodeToString(l.mech.mac(server, message)), nil
}
