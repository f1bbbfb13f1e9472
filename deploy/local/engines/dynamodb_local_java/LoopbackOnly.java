import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Arrays;
import java.util.Set;

/**
 * Runs a Java server, such as DynamoDB Local, so that only this machine can reach it.
 *
 * <p>DynamoDB Local has no option for the address that it listens on: it takes all. Java lets a
 * program name who makes its channels (java.nio.channels.spi.SelectorProvider); this one makes
 * listening channels that bind to 127.0.0.1, to a port of the system's choosing, whatever address
 * and port were asked for, and prints that port. The server itself is neither changed nor compiled
 * against.
 *
 * <p>java -Djava.nio.channels.spi.SelectorProvider=LoopbackOnly
 *      --add-exports=java.base/sun.nio.ch=ALL-UNNAMED LoopbackOnly CLASS ARGUMENT...
 *
 * <p>Ends when its standard input closes, so that it never outlives the local cloud.
 */
public final class LoopbackOnly extends SelectorProvider {
    private final SelectorProvider system;

    public LoopbackOnly() throws ReflectiveOperationException {
        Class<?> provider = Class.forName("sun.nio.ch.DefaultSelectorProvider");
        system = (SelectorProvider) provider.getMethod("get").invoke(null);
    }

    public static void main(String[] arguments) throws Exception {
        if (!(SelectorProvider.provider() instanceof LoopbackOnly)) {
            throw new IllegalStateException("not the provider of channels: it would listen on all");
        }
        Thread guard = new Thread(LoopbackOnly::endWithOurParent);
        guard.setDaemon(true);
        guard.start();
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        Class.forName(arguments[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
    }

    private static void endWithOurParent() {
        try {
            while (System.in.read() >= 0) {
                // Nothing is ever written: only the end counts.
            }
        } catch (IOException closed) {
            // That is the end as well.
        }
        Runtime.getRuntime().halt(0);
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        return new Listener(this, system.openServerSocketChannel());
    }

    @Override
    public DatagramChannel openDatagramChannel() throws IOException {
        return system.openDatagramChannel();
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
        return system.openDatagramChannel(family);
    }

    @Override
    public Pipe openPipe() throws IOException {
        return system.openPipe();
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
        return system.openSelector();
    }

    @Override
    public SocketChannel openSocketChannel() throws IOException {
        return system.openSocketChannel();
    }

    /** A listening channel that binds where we say; it cannot be registered with a selector. */
    private static final class Listener extends ServerSocketChannel {
        private final ServerSocketChannel channel;
        private final ServerSocket socket = new Face(this);

        Listener(SelectorProvider provider, ServerSocketChannel channel) throws IOException {
            super(provider);
            this.channel = channel;
        }

        @Override
        public ServerSocketChannel bind(SocketAddress asked, int backlog) throws IOException {
            byte[] loopback = {127, 0, 0, 1};
            channel.bind(new InetSocketAddress(InetAddress.getByAddress(loopback), 0), backlog);
            int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
            System.out.println("{\"port\": " + port + "}");
            System.out.flush();
            return this;
        }

        @Override
        public SocketChannel accept() throws IOException {
            return channel.accept();
        }

        @Override
        public ServerSocket socket() {
            return socket;
        }

        @Override
        public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
            channel.setOption(name, value);
            return this;
        }

        @Override
        public <T> T getOption(SocketOption<T> name) throws IOException {
            return channel.getOption(name);
        }

        @Override
        public Set<SocketOption<?>> supportedOptions() {
            return channel.supportedOptions();
        }

        @Override
        public SocketAddress getLocalAddress() throws IOException {
            return channel.getLocalAddress();
        }

        @Override
        protected void implCloseSelectableChannel() throws IOException {
            channel.close();
        }

        @Override
        protected void implConfigureBlocking(boolean block) throws IOException {
            channel.configureBlocking(block);
        }
    }

    /** The older face of a listening channel, through which servers bind it. */
    private static final class Face extends ServerSocket {
        private final Listener listener;

        Face(Listener listener) throws IOException {
            this.listener = listener;
        }

        @Override
        public void bind(SocketAddress asked, int backlog) throws IOException {
            listener.bind(asked, backlog);
        }

        @Override
        public void bind(SocketAddress asked) throws IOException {
            listener.bind(asked, 0);
        }

        @Override
        public int getLocalPort() {
            return listener.channel.socket().getLocalPort();
        }

        @Override
        public InetAddress getInetAddress() {
            return listener.channel.socket().getInetAddress();
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return listener.channel.socket().getLocalSocketAddress();
        }

        @Override
        public boolean isBound() {
            return listener.channel.socket().isBound();
        }

        @Override
        public void setReuseAddress(boolean on) {
            // A port of the system's choosing is never one that is still in use.
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }

        @Override
        public ServerSocketChannel getChannel() {
            return listener;
        }
    }
}
