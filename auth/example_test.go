package auth_test

import (
	"context"
	"fmt"
	"net"

	"github.com/farend-go/farend/auth"
)

// Both ends of an exchange, without a connection between them.
func Example() {
	ctx := context.Background()
	channel := auth.Channel{Peer: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 110}}
	a := &auth.Authenticator{Accounts: &auth.Users{Secrets: map[string]auth.Secret{"ann": auth.Clear("secret")}}}
	offered := a.Mechanisms(channel)
	fmt.Println(offered)

	c := auth.Credentials{User: "ann", Password: "secret"}
	err := c.Login(ctx, offered, channel, func(m auth.Client) error {
		s, err := a.Server(m.Name(), channel)
		if err != nil {
			return err
		}
		initial, err := m.Start()
		if err != nil {
			return err
		}
		id, err := auth.Converse(ctx, s, initial, m.Next)
		fmt.Println(m.Name(), id.Authorization)
		return err
	})
	fmt.Println(err)
	// Output:
	// [SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN]
	// SCRAM-SHA-256 ann
	// <nil>
}
