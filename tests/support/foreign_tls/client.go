// A charger on Go: client ADDRESS HOST ROOT says how it agreed, or why it did not.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	pem, err := os.ReadFile(os.Args[3])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		fmt.Println("refused: the root cannot be read")
		return
	}
	connection, err := tls.Dial("tcp", os.Args[1], &tls.Config{RootCAs: roots, ServerName: os.Args[2]})
	if err != nil {
		fmt.Println("refused:", err)
		return
	}
	fmt.Println("agreed on", tls.CipherSuiteName(connection.ConnectionState().CipherSuite))
	connection.Close()
}
