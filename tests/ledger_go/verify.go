// Command verify checks an exported ledger with code that is not ours: the signed-note and
// tlog packages of the Go project, from which the C2SP formats descend.
//
//	verify FOLDER VKEY
//
// It prints "sound SIZE" and exits 0, or says what is wrong, and with which entry or tile, and
// exits 1. Debian has the packages as golang-golang-x-mod-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build verify.go
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: verify FOLDER VKEY")
		os.Exit(2)
	}
	size, err := verify(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("sound", size)
}

// verify returns how many entries the ledger has, once all of them were checked.
func verify(folder, vkey string) (int64, error) {
	tree, err := openCheckpoint(folder, vkey)
	if err != nil {
		return 0, err
	}
	if tree.N == 0 {
		if tree.Hash != tlog.Hash(sha256.Sum256(nil)) {
			return 0, fmt.Errorf("the root of an empty ledger is another")
		}
		return 0, nil
	}
	tiles := &folderTiles{folder}
	computed, badEntry, err := readEntries(folder, tree.N, tiles)
	if err != nil {
		return 0, err
	}
	root, err := tlog.TreeHash(tree.N, computed)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		if badEntry >= 0 {
			return 0, fmt.Errorf("entry %d is not the one in its tile", badEntry)
		}
		return 0, fmt.Errorf("the entries and their tiles do not give the signed root")
	}
	if err := compareTiles(tree.N, computed, tiles); err != nil {
		return 0, err
	}
	return tree.N, checkProofs(tree, tlog.TileHashReader(tree, tiles), computed)
}

// openCheckpoint returns the tree that the holder of the key signed.
func openCheckpoint(folder, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return tree, err
	}
	msg, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("this is not a checkpoint of %s", verifier.Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || copy(tree.Hash[:], root) != tlog.HashSize {
		return tree, fmt.Errorf("this is not a root: %s", lines[2])
	}
	return tree, nil
}

// stored holds the hashes of a tree in the order of tlog.StoredHashIndex.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

// readEntries hashes every entry, and returns the tree they give and the first entry that is not
// the one in its tile, or -1.
func readEntries(folder string, size int64, tiles *folderTiles) (stored, int64, error) {
	hashes := make(stored, 0, tlog.StoredHashCount(size))
	bad := int64(-1)
	for start := int64(0); start < size; start += 1 << height {
		width := widthOf(size - start)
		tile := tlog.Tile{H: height, L: 0, N: start >> height, W: width}
		leaves, err := tiles.read(tile)
		if err != nil {
			return nil, 0, err
		}
		path := strings.Replace(filePath(tile), "tile/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, 0, err
		}
		for i := 0; i < width; i++ {
			index := start + int64(i)
			entry, rest, whole := cut(bundle)
			leaf := tlog.RecordHash(entry)
			if bad < 0 && (!whole || !bytes.Equal(leaf[:], leaves[i*tlog.HashSize:][:tlog.HashSize])) {
				bad = index
			}
			if !whole {
				return nil, 0, fmt.Errorf("entry %d is not the one in its tile, and %s is cut", bad, path)
			}
			more, err := tlog.StoredHashesForRecordHash(index, leaf, hashes)
			if err != nil {
				return nil, 0, err
			}
			hashes = append(hashes, more...)
			bundle = rest
		}
		if len(bundle) > 0 {
			return nil, 0, fmt.Errorf("%s has %d bytes after its entries", path, len(bundle))
		}
	}
	return hashes, bad, nil
}

// widthOf returns how many of the hashes that are left are in one tile.
func widthOf(left int64) int {
	if left > 1<<height {
		return 1 << height
	}
	return int(left)
}

// cut takes the first entry from a bundle.
func cut(bundle []byte) (entry, rest []byte, whole bool) {
	if len(bundle) < 2 {
		return nil, nil, false
	}
	length := int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < 2+length {
		return nil, nil, false
	}
	return bundle[2 : 2+length], bundle[2+length:], true
}

// compareTiles compares every tile with what the entries give. TileHashReader alone is not
// enough: of the tiles it reads it leaves some full ones unchecked where two of the subtrees that
// make the root lie in one tile.
func compareTiles(size int64, computed stored, tiles *folderTiles) error {
	for level := 0; size>>(height*level) > 0; level++ {
		hashes := size >> (height * level)
		for n := int64(0); n<<height < hashes; n++ {
			tile := tlog.Tile{H: height, L: level, N: n, W: widthOf(hashes - n<<height)}
			want, err := tlog.ReadTileData(tile, computed)
			if err != nil {
				return err
			}
			data, err := tiles.read(tile)
			if err != nil {
				return err
			}
			if !bytes.Equal(data, want) {
				return fmt.Errorf("%s is not what the entries give", filePath(tile))
			}
		}
	}
	return nil
}

// checkProofs makes proofs from the tiles and checks them against what the entries give.
func checkProofs(tree tlog.Tree, tiles tlog.HashReader, computed stored) error {
	for _, n := range []int64{0, tree.N / 3, tree.N / 2, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, n, tiles)
		if err != nil {
			return err
		}
		leaf := computed[tlog.StoredHashIndex(0, n)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d is not proven: %v", n, err)
		}
		old, err := tlog.TreeHash(n+1, computed)
		if err != nil {
			return err
		}
		grown, err := tlog.ProveTree(tree.N, n+1, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(grown, tree.N, tree.Hash, n+1, old); err != nil {
			return fmt.Errorf("the ledger of %d entries is not the beginning: %v", n+1, err)
		}
	}
	return nil
}

// folderTiles reads tiles from the exported folder.
type folderTiles struct{ folder string }

func (f *folderTiles) Height() int { return height }

func (f *folderTiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folderTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		if data[i], err = f.read(tile); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (f *folderTiles) read(tile tlog.Tile) ([]byte, error) {
	path := filePath(tile)
	data, err := os.ReadFile(filepath.Join(f.folder, path))
	if err == nil && len(data) != tile.W*tlog.HashSize {
		err = fmt.Errorf("%s has %d bytes, not %d", path, len(data), tile.W*tlog.HashSize)
	}
	return data, err
}

// filePath returns the path of a tile in C2SP tlog-tiles, which leaves out the height.
func filePath(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}
