"""The release binary's dashboard in a pseudo-terminal, for the measurements beside this."""
import fcntl, os, pty, signal, struct, termios

BINARY = os.path.join(os.path.dirname(__file__), "../../.build/release/raft-tui")


def start(columns, rows, *arguments):
    """Starts the dashboard. Answers its process and the terminal to read from and write to."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
        os.execv(BINARY, ["raft-tui", *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return child, terminal


def stop(child, terminal):
    """Ends the dashboard, and reads what it still writes."""
    os.kill(child, signal.SIGTERM)
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass
    os.waitpid(child, 0)
    os.close(terminal)
