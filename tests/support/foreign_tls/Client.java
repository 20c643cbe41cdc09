import java.io.FileInputStream;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A charger on Java: Client ADDRESS HOST ROOT says how it agreed, or why it did not. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType());
        roots.load(null, null);
        try (FileInputStream pem = new FileInputStream(arguments[2])) {
            roots.setCertificateEntry("site", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        String[] address = arguments[0].split(":");
        Socket plain = new Socket(address[0], Integer.parseInt(address[1]));
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, arguments[1], 0, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        try {
            socket.startHandshake();
            System.out.println("agreed on " + socket.getSession().getCipherSuite());
        } catch (SSLException refusal) {
            System.out.println("refused: " + refusal.getMessage());
        }
        socket.close();
    }
}
