//! What a malicious program tries: small scripts, what each tries, and what stops it.
//!
//! A script knows where everything is: `$OUT` (a folder outside), `$HOME_OF_USER`, `$REPO` (the user's repository), `$VICTIM` (a
//! process of the user's), `$PORT` (a server), `$UDP`, `$SOCK` and `$ABSTRACT` (sockets), `$INBOUND` (a port that somebody calls). It is
//! a breach when a canary is printed, anything outside changes, a server hears something, the victim feels a signal, a process
//! is left over, a limit is passed, or the script says `BREACH`.

/// Where a case can be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// It must succeed where nothing shuts it in.
    Everywhere,
    /// It succeeds where nothing shuts it in only as root.
    AsRoot,
    /// It depends on the kernel, or on what is installed, whether it succeeds where nothing shuts it in.
    Somewhere,
}

/// A case.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) tries: &'static str,
    pub(super) stops: &'static str,
    pub(super) place: Where,
    pub(super) script: &'static str,
}

const fn case(
    name: &'static str,
    tries: &'static str,
    stops: &'static str,
    script: &'static str,
) -> Case {
    Case {
        name,
        tries,
        stops,
        place: Where::Everywhere,
        script,
    }
}

const fn root(
    name: &'static str,
    tries: &'static str,
    stops: &'static str,
    script: &'static str,
) -> Case {
    Case {
        name,
        tries,
        stops,
        place: Where::AsRoot,
        script,
    }
}

const fn maybe(
    name: &'static str,
    tries: &'static str,
    stops: &'static str,
    script: &'static str,
) -> Case {
    Case {
        name,
        tries,
        stops,
        place: Where::Somewhere,
        script,
    }
}

pub(super) const FILES: &str = "Landlock: files";
pub(super) const SCRUB: &str = "the environment is given, not inherited";
pub(super) const OTHERS: &str = "Landlock: other processes";
pub(super) const SIGNALS: &str = "Landlock: signals (ABI 6)";
const CALLS: &str = "seccomp";
const SOCKETS: &str = "seccomp: sockets";
const NETWORK: &str = "a network of its own, or Landlock: ports and seccomp: sockets";
/// Where the kernel gives no namespaces, these are not stopped.
pub(super) const VIEW: &str = "a view of the files of its own";
const LIMITS: &str = "limits";
pub(super) const KEEPER: &str = "the keeper ends all processes";

/// Scripts of `sh`, or of Python when their first line is `#py`.
pub(super) const CASES: &[Case] = &[
    // Reading.
    case("environment", "print the model's key from the environment", SCRUB, "env"),
    case("environment-of-others", "read the environment of every process", OTHERS, "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a canary-key"),
    case("environment-of-parent", "read the environment of the process that started it", OTHERS, "cat /proc/$VICTIM/environ /proc/$PPID/environ"),
    case("memory-map", "see where a process has its memory", OTHERS, "cat /proc/$VICTIM/maps && echo BREACH"),
    case("open-files-of-others", "read a file by a process that has it open", OTHERS, "cat /proc/$VICTIM/fd/8"),
    case("root-of-others", "reach a file by `/proc/PID/root`", OTHERS, "cat /proc/$VICTIM/root$HOME_OF_USER/.netrc"),
    case("folder-of-others", "reach a file by `/proc/PID/cwd`", OTHERS, "cat /proc/$VICTIM/cwd/secret"),
    case("inherited-descriptor", "read a file that was left open for it", "the keeper closes what it inherits", "cat <&9"),
    case("ssh-key", "read `~/.ssh/id_ed25519`", FILES, "cat $HOME_OF_USER/.ssh/id_ed25519"),
    case("netrc", "read `~/.netrc`", FILES, "cat $HOME_OF_USER/.netrc"),
    case("aws", "read `~/.aws/credentials`", FILES, "cat $HOME_OF_USER/.aws/credentials"),
    case("gh", "read `~/.config/gh/hosts.yml`", FILES, "cat $HOME_OF_USER/.config/gh/hosts.yml"),
    case("git-credentials", "read the token in `.git/config` of the user's repository", FILES, "git -C $REPO config --get http.extraheader; cat $REPO/.git/config"),
    case("names-in-home", "list the user's home", FILES, "ls -a $HOME_OF_USER"),
    case("dot-dot", "read by a relative path", FILES, "cat ../../outside/secret"),
    case("link", "read by a link in the work tree", FILES, "ln -s $HOME_OF_USER/.netrc l && cat l"),
    case("hard-link", "read by a hard link in the work tree", FILES, "ln $OUT/secret h && cat h"),
    case("own-folder", "read by `/proc/self/cwd`", FILES, "cat /proc/self/cwd/../../outside/secret"),
    case("conftest", "a `conftest.py` that sends the environment away", SCRUB, "#py
open('conftest.py', 'w').write('''
import os, socket
s = socket.create_connection((\"127.0.0.1\", int(os.environ[\"PORT\"])))
s.sendall(repr(dict(os.environ)).encode())
''')
import sys; sys.path.insert(0, '.'); import conftest"),
    root("password-hashes", "read `/etc/shadow`", FILES, "head -c 5 /etc/shadow && echo BREACH"),
    root("core-pattern", "open `/proc/sys/kernel/core_pattern` for writing", FILES, "#py
open('/proc/sys/kernel/core_pattern', 'r+'); print('BREACH')"),
    maybe("disk", "read the disk itself", FILES, "for d in /dev/[sv]d? /dev/nvme?n? /dev/mem; do head -c 1 $d >/dev/null && echo BREACH; done"),
    // Writing.
    case("write", "write by an absolute path", FILES, "echo x > $OUT/new"),
    case("write-dot-dot", "write by a relative path", FILES, "echo x > ../../outside/new"),
    case("write-link", "write by a link in the work tree", FILES, "ln -s $OUT/victim l && echo x > l"),
    case("write-hard-link", "write by a hard link in the work tree", FILES, "ln $OUT/victim h && echo x > h"),
    case("write-own-folder", "write by `/proc/self/cwd`", FILES, "echo x > /proc/self/cwd/../../outside/new"),
    case("write-root-of-others", "write by `/proc/PID/root`", OTHERS, "echo x > /proc/$VICTIM/root$OUT/new"),
    case("move-out", "move a file out of the work tree", FILES, "echo x > f && mv f $OUT/moved"),
    case("move-in", "move a file into the work tree", FILES, "mv $OUT/victim stolen"),
    case("exchange", "exchange two files", FILES, "#py
import ctypes, os
open('f', 'w').write('x')
ctypes.CDLL(None).renameat2(-100, b'f', -100, (os.environ['OUT'] + '/victim').encode(), 2)"),
    case("remove", "remove a file", FILES, "rm -f $OUT/victim"),
    case("truncate", "empty a file by its path", FILES, "#py
import os; os.truncate(os.environ['OUT'] + '/victim', 0)"),
    case("make-folder", "make a folder", FILES, "mkdir $OUT/folder"),
    case("make-pipe", "make a pipe", FILES, "mkfifo $OUT/pipe"),
    case("make-link", "make a link", FILES, "ln -s /etc/passwd $OUT/l"),
    case("bashrc", "add to `~/.bashrc`", FILES, "echo 'curl evil' >> $HOME_OF_USER/.bashrc"),
    case("authorized-keys", "add to `~/.ssh/authorized_keys`", FILES, "echo key >> $HOME_OF_USER/.ssh/authorized_keys"),
    case("unit", "leave a unit that starts later", FILES, "mkdir -p $HOME_OF_USER/.config/systemd/user && echo x > $HOME_OF_USER/.config/systemd/user/x.service"),
    case("hook", "plant a hook in the user's repository", FILES, "echo evil > $REPO/.git/hooks/post-checkout"),
    case("pager", "set `core.pager` in the user's repository", FILES, "git -C $REPO config core.pager evil"),
    case("fsmonitor", "set `core.fsmonitor` in the user's repository", FILES, "git -C $REPO config core.fsmonitor ./evil"),
    case("branch", "move a branch of the user's repository", FILES, "git -C $REPO update-ref refs/heads/other HEAD"),
    case("store-config", "set `core.hooksPath` in the run's own store", FILES, "git config core.hooksPath hooks"),
    case("shared-temporary", "write to the temporary folder of all", FILES, "touch $HOUSE.planted"),
    case("shared-memory", "write to `/dev/shm`", FILES, "touch /dev/shm/$(basename $HOUSE)"),
    case("permissions", "change who may read a file outside", VIEW, "chmod 777 $OUT/victim"),
    case("times", "change when a file outside was written", VIEW, "touch -d 2001-01-01 $OUT/victim"),
    case("setuid", "leave a program that lends its user", CALLS, "cp /bin/true s; chmod u+s s; test -u s && echo BREACH"),
    case("setuid-at-birth", "the same, made so", CALLS, "#py
import os, stat
os.close(os.open('s', os.O_CREAT | os.O_WRONLY, 0o4755))
if os.stat('s').st_mode & stat.S_ISUID: print('BREACH')"),
    root("device", "make a device in the work tree", "Landlock, and no capabilities", "mknod d c 1 3 && echo BREACH"),
    // Network.
    case("tcp", "TCP to a server on this machine", NETWORK, "#py
import os, socket
socket.create_connection(('127.0.0.1', int(os.environ['PORT']))).sendall(b'x')"),
    case("tcp-elsewhere", "TCP to another address", NETWORK, "#py
import os, socket
socket.create_connection(('127.0.0.2', int(os.environ['PORT']))).sendall(b'x')"),
    maybe("tcp-fast-open", "TCP that sends before it asks to connect", NETWORK, "#py
import os, socket
s = socket.socket(); s.sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', int(os.environ['PORT'])))"),
    maybe("mptcp", "TCP by several paths, which ports do not bind", NETWORK, "#py
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.connect(('127.0.0.1', int(os.environ['PORT']))); s.sendall(b'x')"),
    case("udp", "UDP, and so DNS", NETWORK, "#py
import os, socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(os.environ['UDP'])))"),
    case("unix", "a socket in a file, such as Docker's or an agent's for ssh", SOCKETS, "#py
import os, socket
s = socket.socket(socket.AF_UNIX); s.connect(os.environ['SOCK']); s.sendall(b'x')"),
    case("abstract", "a socket without a file", SOCKETS, "#py
import os, socket
s = socket.socket(socket.AF_UNIX); s.connect('\\0' + os.environ['ABSTRACT']); s.sendall(b'x')"),
    case("unix-by-pair", "a socket in a file, by one of a pair", SOCKETS, "#py
import os, socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.sendto(b'x', os.environ['SOCK'] + '.dgram')"),
    case("netlink", "ask the kernel about its network", SOCKETS, "#py
import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print('BREACH')"),
    root("raw", "packets of its own making", SOCKETS, "#py
import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); print('BREACH')"),
    maybe("packet", "listen to the wire", SOCKETS, "#py
import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); print('BREACH')"),
    case("inbound", "let somebody call in", NETWORK, "#py
import os, socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(os.environ['INBOUND']))); s.listen(); s.settimeout(1); s.accept(); print('BREACH')"),
    // Other processes.
    case("signal", "end a process of the user's", SIGNALS, "kill -TERM $VICTIM"),
    case("signal-to-all", "signal every process", SIGNALS, "kill -URG -1; sleep 0.2"),
    maybe("signal-by-descriptor", "the same by a descriptor", SIGNALS, "#py
import os, signal
signal.pidfd_send_signal(os.pidfd_open(int(os.environ['VICTIM'])), signal.SIGTERM)"),
    maybe("ptrace", "attach to a process", CALLS, "#py
import ctypes, os
if ctypes.CDLL(None).ptrace(0x4206, int(os.environ['VICTIM']), 0, 0) == 0: print('BREACH')"),
    case("trace-me", "let itself be traced", CALLS, "#py
import ctypes
if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0: print('BREACH')"),
    case("limits-of-others", "lower a limit of a process", CALLS, "#py
import os, resource
resource.prlimit(int(os.environ['VICTIM']), resource.RLIMIT_CORE, (0, 0)); print('BREACH')"),
    case("daemon", "outlive its time and write later", KEEPER, "(setsid sh -c 'sleep 0.7; echo x > late' >/dev/null 2>&1 &)"),
    case("double-fork", "the same as daemons do it", KEEPER, "#py
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.close(0); os.close(1); os.close(2)
time.sleep(0.7); open('late', 'w')"),
    case("runaway", "fork, and be gone before anybody looks", KEEPER, "#py
import os, time
end = time.time() + 1.5
while time.time() < end:
    if os.fork(): os._exit(0)
    os.setsid()
open('late', 'w')"),
    case("held-output", "keep the output open", KEEPER, "sleep 3.5 & exit 0"),
    // Limits.
    case("endless", "never end", LIMITS, "sleep 6"),
    case("deaf", "never end, and ignore what asks it to", LIMITS, "trap '' TERM INT HUP; sleep 6"),
    case("spin", "use the processor for ever", LIMITS, "while :; do :; done"),
    case("fork-bomb", "start hundreds of processes", LIMITS, "#py
import os, time
for n in range(300):
    if os.fork() == 0: time.sleep(2); os._exit(0)
time.sleep(1.5); print('BREACH')"),
    case("thread-bomb", "start hundreds of threads", LIMITS, "#py
import threading, time
for n in range(300): threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
time.sleep(1.5); print('BREACH')"),
    case("memory-bomb", "take memory", LIMITS, "#py
x = bytearray(600 << 20); print('BREACH')"),
    case("memory-in-pieces", "take memory in many processes", LIMITS, "#py
import os, time
here, there = os.pipe()
for n in range(6):
    if os.fork() == 0: x = b'x' * (80 << 20); os.write(there, b'x'); time.sleep(2); os._exit(0)
held = 0
while held < 6: held += len(os.read(here, 6))
time.sleep(1.5); print('BREACH')"),
    case("giant-file", "write a file without end", LIMITS, "head -c 67108864 /dev/zero > big; test $(stat -c %s big) -gt 33554432 && echo BREACH"),
    case("many-files", "fill the disk file by file", LIMITS, "for n in $(seq 30); do head -c 8388608 /dev/zero > big$n; sleep 0.01; done; sleep 1; echo BREACH"),
    case("giant-output", "print without end", LIMITS, "head -c 50000000 /dev/zero | tr '\\0' y"),
    case("raised-limit", "raise a limit", LIMITS, "ulimit -f unlimited && head -c 67108864 /dev/zero > big && echo BREACH"),
    // The kernel.
    case("new-privileges", "gain by a setuid program such as sudo", "no new privileges", "grep 'NoNewPrivs:.0' /proc/self/status && echo BREACH"),
    root("capabilities", "use what root may", "no capabilities", "#py
import os, time
time.clock_settime(time.CLOCK_REALTIME, time.time()); print('BREACH')"),
    maybe("user-namespace", "become root among users of its own", CALLS, "unshare --user --map-root-user true && echo BREACH"),
    maybe("mount", "mount something", CALLS, "mkdir m && mount -t tmpfs none m && umount m && echo BREACH"),
    case("clone3", "make namespaces where no filter can look", CALLS, "#py
import ctypes, errno
c = ctypes.CDLL(None, use_errno=True); c.syscall(435, 0, 0)
if ctypes.get_errno() != errno.ENOSYS: print('BREACH')"),
    case("typing", "type into a terminal", CALLS, "#py
import errno, fcntl
try: fcntl.ioctl(0, 0x5412, b'x')
except OSError as e:
    if e.errno != errno.EPERM: print('BREACH')"),
    case("persona", "turn off what makes attacks harder", CALLS, "#py
import ctypes
if ctypes.CDLL(None).personality(0x0040000) != -1: print('BREACH')"),
    case("shared-segment", "leave memory that outlives it", CALLS, "#py
import ctypes
c = ctypes.CDLL(None); n = c.shmget(0, 4096, 0o600)
if n >= 0: c.shmctl(n, 0, None); print('BREACH')"),
    maybe("io-uring", "system calls that no filter sees", CALLS, "#py
import ctypes, errno
c = ctypes.CDLL(None, use_errno=True); c.syscall(425, 1, 0)
if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS): print('BREACH')"),
    maybe("keyring", "read keys of the session", CALLS, "#py
import ctypes, errno
c = ctypes.CDLL(None, use_errno=True); n = c.syscall({'x86_64': 250}.get(__import__('os').uname().machine, 219), 0, -3, 1)
if n >= 0: print('BREACH')"),
    maybe("bpf", "load a program into the kernel", CALLS, "#py
import ctypes, errno
c = ctypes.CDLL(None, use_errno=True); c.syscall({'x86_64': 321}.get(__import__('os').uname().machine, 280), 0, 0, 0)
if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS): print('BREACH')"),
    maybe("other-numbers", "system calls by the numbers of another table (x32)", CALLS, "#py
import ctypes
ctypes.CDLL(None).syscall(0x40000000 + 39); print('BREACH')"),
    maybe(
        "other-architecture",
        "system calls of a 32-bit program",
        CALLS,
        "#py
import ctypes, mmap, os
assert os.uname().machine == 'x86_64'
code = mmap.mmap(-1, 4096, prot=7); code.write(b'\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3')
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))(); print('BREACH')",
    ),
];

/// What must work: a name and a script that ends with 0.
pub(super) const BENIGN: &[(&str, &str)] = &[
    ("files", "mkdir a && echo x > a/b && mv a/b c && ln -s c d && cat d && ln c e && rm -r a c d e && mktemp && test -w $TMPDIR && echo x > $HOME/.rc"),
    ("pipes", "seq 100000 | sort -r | head -1 | grep -q 99999 && mkfifo p && (echo x > p &) && cat p"),
    ("jobs", "set -m; sleep 0.01 & wait; timeout 5 true && setsid true && nohup true && sh -c 'trap \"exit 0\" TERM; kill -TERM $$; sleep 1'"),
    ("devices", "head -c 8 /dev/urandom | wc -c && echo x > /dev/null && cat /dev/zero | head -c 1 >/dev/null && echo x > /dev/stderr && echo y | cat /dev/stdin"),
    ("status", "git status --short && git log --oneline && echo x >> README.md && git diff --stat | grep README.md && git stash list"),
    ("make", "command -v make || exit 0; printf 'all: a\\na: ; echo x > a\\n' > Makefile && make -j2 && test -f a"),
    ("archive", "mkdir t && echo x > t/x && tar czf t.tgz t && rm -r t && tar xzf t.tgz && test -f t/x && install -m 755 t/x y && cp -a t u"),
    ("unittest", "cat > test_a.py <<'E'
import unittest, tempfile, threading, subprocess, sqlite3, asyncio, json, os, multiprocessing
class A(unittest.TestCase):
    def test_temporary(self):
        with tempfile.NamedTemporaryFile() as f: f.write(b'x')
    def test_threads(self):
        t = [threading.Thread(target=lambda: None) for _ in range(20)]
        [x.start() for x in t]; [x.join() for x in t]
    def test_process(self):
        self.assertEqual(subprocess.run(['true'], start_new_session=True).returncode, 0)
    def test_database(self):
        d = sqlite3.connect('a.db'); d.execute('create table t (x)'); d.commit(); d.close()
    def test_loop(self):
        async def f():
            p = await asyncio.create_subprocess_exec('echo', 'x', stdout=-1); return (await p.communicate())[0]
        self.assertEqual(asyncio.run(f()), b'x\\n')
    def test_self(self):
        self.assertTrue(os.listdir('/proc/self/fd'))
E
python3 -m unittest -q"),
    ("node", "command -v node || exit 0; cat > a.test.js <<'E'
const test = require('node:test'), assert = require('node:assert'), { execSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
test('a', () => assert.equal(execSync('echo x').toString(), 'x\\n'));
test('b', (t, done) => { new Worker('1', { eval: true }).on('exit', done); });
E
node --test a.test.js"),
    ("rust", "command -v cargo || exit 0; mkdir -p c/src && cd c && printf '[package]\\nname = \"c\"\\nversion = \"0.1.0\"\\nedition = \"2021\"\\n' > Cargo.toml && cat > src/lib.rs <<'E'
#[test]
fn works() { assert_eq!(std::thread::available_parallelism().is_ok(), std::process::Command::new(\"true\").status().unwrap().success()); }
E
cargo test --offline --quiet"),
];

/// What must work where a program has a network of its own.
pub(super) const LISTENING: &str = "#py
import http.server, threading, urllib.request
s = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=s.serve_forever, daemon=True).start()
urllib.request.ProxyHandler({})
assert urllib.request.urlopen(f'http://127.0.0.1:{s.server_port}/README.md').status == 200
import socket
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(('127.0.0.1', 0)); a.sendto(b'x', a.getsockname()); assert a.recv(9) == b'x'";
