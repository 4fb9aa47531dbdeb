import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import javax.net.ssl.HttpsURLConnection;

/** Fetches one address with both of Java's own clients and prints the answers. checks/install.sh compiles it. */
public class Fetch {
    public static void main(String[] args) throws Exception {
        HttpsURLConnection connection = (HttpsURLConnection) URI.create(args[0]).toURL().openConnection();
        System.out.write(connection.getInputStream().readAllBytes());
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).build();
        System.out.write(HttpClient.newHttpClient().send(request, BodyHandlers.ofByteArray()).body());
        System.out.flush();
    }
}
