"""`make run` and `make discover`: WallTrack on one machine, in one terminal, until
Ctrl-C.

It starts PostgreSQL, Valkey and the simulated market, migrates the database, starts web
server, worker and beat, and runs a first discovery on the worker while its progress is
printed here. Every child has a session of its own, so Ctrl-C reaches only this process,
which stops the children in order. Children write to `.data/logs/`.

With `--world living` the market and the children take their time from
`.data/clock.json`: it begins thirty days ago and passes so fast that it reaches the
present after ten minutes. A simulated hour takes 0.8 seconds, a day twenty.
"""
