// Command cosigned verifies a checkpoint of a ledger and the cosignature of a witness below it
// (C2SP tlog-cosignature, cosignature/v1), with the Go project's own packages and nothing of ours.
//
//	cosigned CHECKPOINT LEDGER-VKEY WITNESS-VKEY
//
// It prints "cosigned SIZE SECONDS" and exits with 0, or says what is wrong and exits with 1. First
// it opens the note without knowing the witness, as any reader of signed notes does.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// witness verifies cosignatures; the note package calls it for signatures with its name and hash.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	at   uint64
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	w.at = binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", w.at, msg)
	return ed25519.Verify(w.key, []byte(signed), sig[8:])
}

func newWitness(vkey string) (*witness, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("this is not a verifier key")
	}
	material, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != 4 {
		return nil, fmt.Errorf("this is not the verifier key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	hash := binary.BigEndian.Uint32(sum[:4])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, fmt.Errorf("the id of the verifier key is not that of its key")
	}
	return &witness{name: parts[0], hash: hash, key: material[1:]}, nil
}

func run(path, ledgerKey, witnessKey string) error {
	msg, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	ledger, err := note.NewVerifier(ledgerKey)
	if err != nil {
		return err
	}
	seen, err := newWitness(witnessKey)
	if err != nil {
		return err
	}
	plain, err := note.Open(msg, note.VerifierList(ledger))
	if err != nil {
		return err
	}
	if len(plain.UnverifiedSigs) != 1 {
		return fmt.Errorf("%d signatures are of somebody else than the ledger", len(plain.UnverifiedSigs))
	}
	opened, err := note.Open(msg, note.VerifierList(ledger, seen))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("the witness has not cosigned")
	}
	fmt.Printf("cosigned %s %d\n", strings.Split(opened.Text, "\n")[1], seen.at)
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Println("usage: cosigned CHECKPOINT LEDGER-VKEY WITNESS-VKEY")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
