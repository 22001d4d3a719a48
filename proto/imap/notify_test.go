package imap_test

import (
	"testing"
)

// TestNotify has a client be told of everything, without a command (RFC 5465).
func TestNotify(t *testing.T) {
	onEngines(t, func(t *testing.T, addr string, b *toy) {
		k, other := loggedIn(t, addr, "mrc"), loggedIn(t, addr, "mrc")
		other.ask("SELECT INBOX", "OK")
		k.ask("SELECT INBOX", "OK")
		k.ask("NOTIFY SET (selected (MessageNew))", "BAD")
		k.ask("NOTIFY SET (personal (ServerMetadataChange))", "NO [BADEVENT (MessageNew")
		k.ask("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge FlagChange)) (mailboxes Archive NONE) (personal (MessageNew MessageExpunge MailboxName SubscriptionChange))", "OK")
		b.put("mrc", "INBOX", note)
		k.want("* 4 EXISTS")
		k.want("* 0 RECENT")
		k.want("* 4 FETCH (UID 4 BODY[HEADER.FIELDS (Subject)] {30}")
		k.want("Subject: afternoon meeting")
		k.want("")
		k.want(")")
		other.ask(`STORE 2 FLAGS (\Deleted)`, "OK")
		k.want(`* 2 FETCH (FLAGS (\Deleted))`)
		other.ask("EXPUNGE", "OK")
		k.want("* 2 EXPUNGE")
		b.put("mrc", "Archive", note) // which nobody wants to hear of
		b.put("mrc", "Sent", note)
		k.want("* STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 4 UNSEEN 1)")
		other.ask("CREATE New", "OK")
		k.want(`* LIST () "/" New`)
		other.ask("RENAME New Newer", "OK")
		k.want(`* LIST (\NonExistent) "/" New`)
		k.want(`* LIST () "/" Newer`)
		other.ask("SUBSCRIBE Newer", "OK")
		k.want(`* LIST (\Subscribed) "/" Newer`)
		other.ask("DELETE Newer", "OK")
		k.want(`* LIST (\NonExistent \Subscribed) "/" Newer`)
		k.ask("NOTIFY NONE", "OK")
		b.put("mrc", "Sent", note)
		if lines := k.ask("NOOP", "OK"); len(lines) != 1 {
			t.Errorf("after NOTIFY NONE: %q", lines)
		}
		if lines := k.ask("NOTIFY SET STATUS (selected-delayed (MessageNew MessageExpunge)) (subtree Work (MessageNew MessageExpunge)) (inboxes NONE)", "OK"); len(lines) != 2 || lines[0] != "* STATUS Work/A/B (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 5 UNSEEN 0)" {
			t.Errorf("NOTIFY SET STATUS told %q", lines)
		}
		other.ask(`STORE 1 FLAGS (\Deleted)`, "OK")
		k.want(`* 1 FETCH (FLAGS (\Deleted))`)
		other.ask("EXPUNGE", "OK")
		b.put("mrc", "INBOX", note)
		k.want("* 4 EXISTS") // and the message that is gone counts until a command
		k.want("* 0 RECENT")
		k.ask("FETCH 4 UID", "OK")
		if lines := k.ask("NOOP", "OK"); lines[0] != "* 1 EXPUNGE" {
			t.Errorf("NOOP told %q", lines)
		}
	})
}
