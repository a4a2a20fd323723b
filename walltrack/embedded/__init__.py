"""PostgreSQL and Valkey from their wheels, for a first run and for tests.

Both listen on 127.0.0.1 only, on a free port, with a random password. `data_dir`
belongs to the current user and holds the lock, the logs and, in `servers`, the
databases.

PostgreSQL refuses to run as root. If root starts the servers, both run as an existing
unprivileged account, from a copy of their programs and with their databases in
`/var/lib/walltrack-<key>` (or in /var/tmp), because checkout and virtual environment
may be closed to other accounts. Mode and owner are changed only for folders that this
package creates.

`python -m walltrack.embedded run -- COMMAND…` runs COMMAND with temporary servers. `…
remove` deletes all data.
"""
