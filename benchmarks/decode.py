"""Compare the speed of decoding captured transactions, JSON included, with a peer
parser on the same files.

Peer: npm `solana-dex-parser` 2.6.7, `JSON.parse` + `parseTrades`, warmed up; installed
under `.data` if node and npm are available. WallTrack: `decode_json` on the bytes, one
core. The two take turns. The best pass of each is compared, because noise only adds
time; the ratio of the medians is printed too.
"""

import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

from discovery.decode.outcomes import Failed
from discovery.decode.swaps import decode_json

ROOT = Path(__file__).resolve().parents[1]
CAPTURES = ROOT.parent / "shared" / "realdata" / "transactions" / "rpc"
PEER = ROOT / ".data" / "peer"
PACKAGE = "solana-dex-parser@2.6.7"
ROUNDS = 5
PASSES = 20

# One line on standard input = one measured round: PASSES over all files; prints the
# seconds of each pass.
PEER_SCRIPT = """
const fs = require('fs'), path = require('path'), readline = require('readline');
const { DexParser } = require('solana-dex-parser');
const folder = process.argv[2], passes = Number(process.argv[3]);
const names = fs.readdirSync(folder).filter(name => name.endsWith('.json'));
const texts = names.map(name => fs.readFileSync(path.join(folder, name), 'utf8'));
const parser = new DexParser();
function once() { for (const text of texts) { try { parser.parseTrades(JSON.parse(text)); } catch (error) { } } }
for (let i = 0; i < 30; i++) once();
console.log('warm');
readline.createInterface({ input: process.stdin }).on('line', () => {
  const seconds = [];
  for (let i = 0; i < passes; i++) {
    const start = process.hrtime.bigint(); once(); seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
  }
  console.log(JSON.stringify(seconds));
});
"""


def main() -> None:
    """Measure and print the rates. Prints what is missing if there are no captures or
    no node.
    """
    if not CAPTURES.is_dir():
        print(
            f"decode: no captured transactions in ../shared/realdata ({CAPTURES.name}); nothing to measure"
        )
        return
    contents = [path.read_bytes() for path in sorted(CAPTURES.glob("*.json"))]
    size = sum(map(len, contents))
    failed = sum(isinstance(decode_json(content), Failed) for content in contents)
    print(
        f"decode: {len(contents)} captured transactions, {size / len(contents) / 1000:.1f} kB each, {failed} unreadable"
    )
    for _ in range(5):
        _decode_all(contents)
    peer = _start_peer()
    walltrack_seconds: list[float] = []
    peer_seconds: list[float] = []
    for _ in range(ROUNDS):
        walltrack_seconds += [_decode_all(contents) for _ in range(PASSES)]
        if peer is not None:
            peer_seconds += _peer_round(peer)
    _print_rate("walltrack", walltrack_seconds, len(contents))
    if peer is None:
        return
    _print_rate("peer", peer_seconds, len(contents))
    peer.communicate(timeout=30)
    best_ratio = min(peer_seconds) / min(walltrack_seconds)
    median_ratio = statistics.median(peer_seconds) / statistics.median(
        walltrack_seconds
    )
    print(
        f"  {'ratio':<9} {best_ratio:8.1f} × by the best pass, {median_ratio:.1f} × by the median"
    )


def _decode_all(contents: list[bytes]) -> float:
    start = time.perf_counter()
    for content in contents:
        decode_json(content)
    return time.perf_counter() - start


def _print_rate(name: str, seconds: list[float], count: int) -> None:
    best, median = min(seconds), statistics.median(seconds)
    print(
        f"  {name:<9} {count / best:8,.0f} a second in the best pass, {count / median:,.0f} in the median pass"
    )


def _start_peer() -> subprocess.Popen[str] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("  node and npm are not installed: the peer parser is not measured")
        return None
    PEER.mkdir(parents=True, exist_ok=True)
    installed = PEER / "node_modules" / "solana-dex-parser" / "package.json"
    if (
        not installed.is_file()
        or json.loads(installed.read_text())["version"] != PACKAGE.split("@")[1]
    ):
        result = subprocess.run(
            [
                npm,
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(PEER),
                PACKAGE,
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            print(
                f"  the peer parser could not be installed: {result.stderr.strip()[:300]}"
            )
            return None
    process = subprocess.Popen(
        [node, "-e", PEER_SCRIPT, "peer", str(CAPTURES), str(PASSES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(PEER / "node_modules")},
    )
    if process.stdout is None or process.stdout.readline().strip() != "warm":
        print("  the peer parser did not start")
        process.kill()
        return None
    return process


def _peer_round(peer: subprocess.Popen[str]) -> list[float]:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write("go\n")
    peer.stdin.flush()
    return [float(seconds) for seconds in json.loads(peer.stdout.readline())]
