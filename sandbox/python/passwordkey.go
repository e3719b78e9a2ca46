package python

import (
	"bytes"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
)

// mostKeyWork bounds hash rounds a call, since it can't be interrupted: about 0.3 s.
const mostKeyWork = 1_000_000

// keyHash finds a hash by hashlib's name for it; nil if there is none.
func keyHash(name string) func() hash.Hash {
	switch name {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha224":
		return sha256.New224
	case "sha256":
		return sha256.New
	case "sha384":
		return sha512.New384
	case "sha512":
		return sha512.New
	}
	return nil
}

// passwordKey is hashlib.pbkdf2_hmac, which the build lacks and which takes tens of
// milliseconds in Python at each connect with SCRAM. The frame holds the hash's name,
// the rounds, the key's length and the password's length, each as text with a zero
// byte after it, then password and salt. What it can't do is answered by nothing.
func passwordKey(frame []byte) []byte {
	var field [4][]byte
	for i := range field {
		var ok bool
		if field[i], frame, ok = bytes.Cut(frame, []byte{0}); !ok {
			return nil
		}
	}
	var number [3]int
	for i := range number {
		n, err := strconv.Atoi(string(field[i+1]))
		if err != nil || n < 0 {
			return nil
		}
		number[i] = n
	}
	rounds, length, password := number[0], number[1], number[2]
	h := keyHash(string(field[0]))
	if h == nil || rounds < 1 || length < 1 || password > len(frame) || length > mostKeyWork {
		return nil
	}
	if blocks := (length + h().Size() - 1) / h().Size(); rounds > mostKeyWork/blocks {
		return nil
	}
	key, err := pbkdf2.Key(h, string(frame[:password]), frame[password:], rounds, length)
	if err != nil {
		return nil
	}
	return key
}
