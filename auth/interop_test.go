//go:build interop

package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"github.com/farend-go/farend/internal/foreign"
	"github.com/farend-go/farend/internal/testcert"
)

// TestOpenSSLHasTheSameBindings: what we bind to is what OpenSSL's end of the
// connection would bind to.
func TestOpenSSLHasTheSameBindings(t *testing.T) {
	openssl := foreign.Program(t, "openssl")
	cfg := testcert.Server(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shaken := make(chan Channel, 1)
	go func() {
		defer close(shaken)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		server := tls.Server(nc, cfg)
		if server.Handshake() != nil {
			return
		}
		state := server.ConnectionState()
		shaken <- Channel{TLS: &state, Certificate: ServerCertificate(cfg)}
		_ = server.Close() // the client reads the end
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, openssl, "s_client", "-connect", l.Addr().String(), "-tls1_3", "-showcerts", "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32")
	out, _ := cmd.CombinedOutput() // it does not know the authority, and says so by its status
	ch, ok := <-shaken
	if !ok {
		t.Fatalf("no handshake: %s", out)
	}
	exported, ok := ch.binding(scram.ChannelBindingTLSExporter)
	if !ok {
		t.Fatal("no tls-exporter")
	}
	m := regexp.MustCompile(`Keying material: ([0-9A-F]+)`).FindSubmatch(out)
	if m == nil || !strings.EqualFold(string(m[1]), hex.EncodeToString(exported.Data)) {
		t.Errorf("tls-exporter: %x, openssl: %s", exported.Data, out)
	}
	endPoint, ok := ch.binding(scram.ChannelBindingTLSServerEndpoint)
	if !ok {
		t.Fatal("no tls-server-end-point")
	}
	x509 := exec.CommandContext(ctx, openssl, "x509", "-outform", "der")
	x509.Stdin = bytes.NewReader(out[bytes.Index(out, []byte("-----BEGIN CERTIFICATE")):])
	der, err := x509.Output()
	if sum := sha256.Sum256(der); err != nil || !bytes.Equal(sum[:], endPoint.Data) {
		t.Errorf("tls-server-end-point: %x, openssl: %x, %v", endPoint.Data, sum, err)
	}
}
