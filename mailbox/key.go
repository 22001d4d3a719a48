package mailbox

import "encoding/binary"

// Keys. Numbers are big-endian, so that they are in order.
//
//	A name                   the number of an account
//	N                        the number of the newest account
//	a acct h                 an account: accountHead
//	a acct n name            a name: nameRow
//	a acct d day key         a delivery key, by day
//	a acct b box h           a mailbox: head
//	a acct b box m uid       a block of entries, by the first UID that it had
//	a acct b box v modseq    UIDs that were removed
const (
	kindAccountName = 'A'
	kindNewest      = 'N'
	kindAccount     = 'a'
	kindHead        = 'h'
	kindName        = 'n'
	kindDelivery    = 'd'
	kindMailbox     = 'b'
	kindBlock       = 'm'
	kindGone        = 'v'
)

func keyAccountName(name string) []byte { return append([]byte{kindAccountName}, name...) }

func keyNewest() []byte { return []byte{kindNewest} }

// keyAccount begins all keys of an account; kind those of one kind.
func keyAccount(acct uint64, kind byte) []byte {
	b := append(make([]byte, 0, 32), kindAccount) // room for most keys
	return append(binary.BigEndian.AppendUint64(b, acct), kind)
}

func keyName(acct uint64, name string) []byte { return append(keyAccount(acct, kindName), name...) }

func keyDelivery(acct uint64, day uint32, key []byte) []byte {
	return append(binary.BigEndian.AppendUint32(keyAccount(acct, kindDelivery), day), key...)
}

// keyMailbox begins all keys of one kind of a mailbox.
func keyMailbox(acct, box uint64, kind byte) []byte {
	return append(binary.BigEndian.AppendUint64(keyAccount(acct, kindMailbox), box), kind)
}

func keyBlock(acct, box uint64, first UID) []byte {
	return binary.BigEndian.AppendUint32(keyMailbox(acct, box, kindBlock), first)
}

func keyGone(acct, box, modSeq uint64) []byte {
	return binary.BigEndian.AppendUint64(keyMailbox(acct, box, kindGone), modSeq)
}

// after is the first key behind all those that begin with prefix, which does
// not end in 0xff.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	return end
}

// parseKey tells which account and mailbox a key belongs to. box is 0 for the
// account's own keys; names tells that the key is a mailbox's name.
func parseKey(key string) (acct, box uint64, names, ok bool) {
	if len(key) < 10 || key[0] != kindAccount {
		return 0, 0, false, false
	}
	acct = binary.BigEndian.Uint64([]byte(key[1:9]))
	switch {
	case key[9] == kindName:
		return acct, 0, true, true
	case key[9] == kindMailbox && len(key) >= 18:
		return acct, binary.BigEndian.Uint64([]byte(key[10:18])), false, true
	}
	return acct, 0, false, true
}
