package transfer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// listings are pages in the forms that servers write, and what each file's row
// says of it: size (-1: nothing exact) and time.
var listings = []struct {
	name, page string
	want       []string
}{
	// ngx_http_autoindex_module: sizes are exact unless it is told otherwise.
	{"nginx", "<html>\r\n<head><title>Index of /pub/</title></head>\r\n<body>\r\n<h1>Index of /pub/</h1><hr><pre><a href=\"../\">../</a>\r\n" +
		"<a href=\"old/\">old/</a>                            21-Nov-2026 12:00                   -\r\n" +
		"<a href=\"a%20very%20long%20name%20of%20a%20file%20that%20nginx%20cuts%20off.txt\">a very long name of a file that nginx cuts off..&gt;</a> 01-Jan-2020 00:59             1048576\r\n" +
		"<a href=\"empty\">empty</a>                           21-Nov-2026 12:01                   0\r\n</pre><hr></body>\r\n</html>\r\n",
		[]string{"old/", "a very long name of a file that nginx cuts off.txt 1048576 2020-01-01 00:59:00", "empty 0 2026-11-21 12:01:00"}},
	{"nginx, rounded", `<html><head><title>Index of /pub/</title></head><body><h1>Index of /pub/</h1><hr><pre><a href="../">../</a>
<a href="big.iso">big.iso</a>  21-Nov-2026 12:00     12M
</pre><hr></body></html>`, []string{"big.iso -1 2026-11-21 12:00:00"}},
	// mod_autoindex, plain, FancyIndexing, and with HTMLTable and links around icons.
	{"Apache, plain", `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Index of /pub</title></head><body><h1>Index of /pub</h1>
<ul><li><a href="/"> Parent Directory</a></li>
<li><a href="a.txt"> a.txt</a></li>
<li><a href="sub/"> sub/</a></li>
</ul></body></html>`, []string{"a.txt -1", "sub/"}},
	{"Apache, fancy", `<html><head><title>Index of /pub</title></head><body><h1>Index of /pub</h1>
<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a>                    <a href="?C=M;O=A">Last modified</a>      <a href="?C=S;O=A">Size</a>  <a href="?C=D;O=A">Description</a><hr><img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/">Parent Directory</a>                             -   
<img src="/icons/folder.gif" alt="[DIR]"> <a href="sub/">sub/</a>                    2026-11-21 12:00    -   
<img src="/icons/text.gif" alt="[TXT]"> <a href="small.txt">small.txt</a>               2026-11-21 12:00  123   Notes of 2026-01-01 00:00
<img src="/icons/compressed.gif" alt="[   ]"> <a href="x.tar.gz">x.tar.gz</a>                2026-11-21 23:59  1.2K  
<hr></pre>
<address>Apache/2.4.62 (Debian) Server at localhost Port 80</address></body></html>`,
		[]string{"sub/", "small.txt 123 2026-11-21 12:00:00", "x.tar.gz -1 2026-11-21 23:59:00"}},
	{"Apache, table", `<html><head><title>Index of /pub</title></head><body><h1>Index of /pub</h1>
  <table>
   <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th><th><a href="?C=S;O=A">Size</a></th><th><a href="?C=D;O=A">Description</a></th></tr>
   <tr><th colspan="5"><hr></th></tr>
<tr><td valign="top"><a href="/"><img src="/icons/back.gif" alt="[PARENTDIR]"></a></td><td><a href="/">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td><td>&nbsp;</td></tr>
<tr><td valign="top"><a href="a&amp;b.txt"><img src="/icons/text.gif" alt="[TXT]"></a></td><td><a href="a&amp;b.txt">a&amp;b.txt</a></td><td align="right">2026-11-21 12:00  </td><td align="right"> 42 </td><td>&nbsp;</td></tr>
<tr><td valign="top"><a href="sub/"><img src="/icons/folder.gif" alt="[DIR]"></a></td><td><a href="sub/">sub/</a></td><td align="right">2026-11-21 12:00  </td><td align="right">  - </td><td>&nbsp;</td></tr>
</table></body></html>`, []string{"a&b.txt 42 2026-11-21 12:00:00", "sub/"}},
	// mod_dirlisting: with seconds, and sizes always rounded.
	{"lighttpd", `<!DOCTYPE html>
<html><head><title>Index of /pub/</title></head><body><h2>Index of /pub/</h2><div class="list">
<table summary="Directory Listing" cellpadding="0" cellspacing="0">
<thead><tr><th class="n">Name</th><th class="m">Last Modified</th><th class="s">Size</th><th class="t">Type</th></tr></thead>
<tbody>
<tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td><td class="s">- &nbsp;</td><td class="t">Directory</td></tr>
<tr class="d"><td class="n"><a href="sub/">sub</a>/</td><td class="m">2026-Nov-21 12:00:01</td><td class="s">- &nbsp;</td><td class="t">Directory</td></tr>
<tr><td class="n"><a href="x.bin">x.bin</a></td><td class="m">2026-Nov-21 12:00:02</td><td class="s">0.1K</td><td class="t">application/octet-stream</td></tr>
</tbody></table></div><div class="foot">lighttpd/1.4.76</div></body></html>`, []string{"sub/", "x.bin -1 2026-11-21 12:00:02"}},
	// IIS: absolute links, and what it says of a file stands before it.
	{"IIS", `<html><head><title>www.example.com - /pub/</title></head><body><H1>www.example.com - /pub/</H1><hr>

<pre><A HREF="/">[To Parent Directory]</A><br><br> 11/21/2026 12:00 AM        &lt;dir&gt; <A HREF="/pub/sub/">sub</A><br>  1/2/2026  3:04 PM          123 <A HREF="/pub/a%20b.txt">a b.txt</A><br></pre><hr></body></html>`,
		[]string{"sub/", "a b.txt 123 2026-01-02 15:04:00"}},
	{"IIS, long dates", `<html><head><title>host - /pub/</title></head><body><H1>host - /pub/</H1><hr>
<pre><A HREF="/">[To Parent Directory]</A><br><br>  Saturday, November 21, 2026  7:58 PM        77779 <A HREF="/pub/x.zip">x.zip</A><br></pre><hr></body></html>`,
		[]string{"x.zip 77779 2026-11-21 19:58:00"}},
	{"Python", `<!DOCTYPE HTML>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Directory listing for /pub/</title>
</head>
<body>
<h1>Directory listing for /pub/</h1>
<hr>
<ul>
<li><a href="2026-01-01%2012%3A00%20123">2026-01-01 12:00 123</a></li>
<li><a href="sub/">sub/</a></li>
</ul>
<hr>
</body>
</html>`, []string{"2026-01-01 12:00 123 -1", "sub/"}},
	{"Go", `<!doctype html>
<meta name="viewport" content="width=device-width">
<pre>
<a href="a.txt">a.txt</a>
<a href="sub/">sub/</a>
</pre>`, []string{"a.txt -1", "sub/"}},
	{"Tomcat", `<html><head><title>Directory Listing For [/pub/]</title></head><body><h1>Directory Listing For [/pub/]</h1><hr><table width="100%">
<tr><td align="left"><strong>Filename</strong></td><td align="center"><strong>Size</strong></td><td align="right"><strong>Last Modified</strong></td></tr>
<tr><td align="left">&nbsp;&nbsp;
<a href="/pub/x.war"><tt>x.war</tt></a></td>
<td align="right"><tt>1.2 kb</tt></td>
<td align="right"><tt>Sat, 21 Nov 2026 12:00:00 GMT</tt></td></tr></table></body></html>`, []string{"x.war -1"}},
}

// TestListingsOfServers reads each form: all of the directory, and what is told
// of each file.
func TestListingsOfServers(t *testing.T) {
	for _, c := range listings {
		base, err := url.Parse("http://host/pub/")
		if err != nil {
			t.Fatal(err)
		}
		found, err := (&webTreeOf{base: base}).fromHTML(entry{path: "."}, base, strings.NewReader(c.page))
		if err != nil || !found.whole {
			t.Errorf("%s: whole %v, %v", c.name, found.whole, err)
		}
		var got []string
		for _, e := range found.entries {
			line := asListed(e)
			if !e.dir {
				line += fmt.Sprint(" ", e.version.Size)
			}
			if !e.version.Modified.IsZero() {
				line += e.version.Modified.Format(" 2006-01-02 15:04:05")
			}
			got = append(got, line)
			if e.exact {
				t.Errorf("%s: %s is taken for exact", c.name, e.path)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestListingOfCaddy reads Caddy's JSON.
func TestListingOfCaddy(t *testing.T) {
	base, err := url.Parse("http://h/")
	if err != nil {
		t.Fatal(err)
	}
	tree := &webTreeOf{base: base}
	found, err := tree.fromJSON(entry{path: "."}, base, strings.NewReader(`[
{"name":"sub/","size":4096,"url":"./sub/","mod_time":"2026-11-21T12:00:00.5Z","mode":2147484141,"is_dir":true,"is_symlink":false},
{"name":"a b.txt","size":5,"url":"./a%20b.txt","mod_time":"2026-11-21T13:00:01.25+01:00","mode":420,"is_dir":false,"is_symlink":false},
{"name":"link","size":5,"url":"./link","mod_time":"2026-11-21T12:00:00Z","mode":134218239,"is_dir":false,"is_symlink":true}]`))
	if err != nil || !found.whole || found.passed != 1 || len(found.entries) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	if d := found.entries[0]; asListed(d) != "sub/" || tree.at(d) != "http://h/sub/" {
		t.Errorf("%+v at %s", d, tree.at(d))
	}
	f := found.entries[1]
	if f.path != "a b.txt" || tree.at(f) != "http://h/a%20b.txt" || f.version.Size != 5 || !f.exact || f.version.Modified.Unix() != 1795262401 {
		t.Errorf("%+v at %s", f, tree.at(f))
	}
}
