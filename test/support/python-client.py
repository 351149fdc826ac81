"""Debian's python3-socketio, driven over pipes: one JSON text a line, in and out. See python-client.ts."""
import json
import os
import sys
import threading

import socketio

options = json.loads(sys.argv[1])
client = socketio.Client(reconnection=False)
lock = threading.Lock()


def say(**message):
    with lock:
        print(json.dumps(message), flush=True)


@client.on("*")
def heard(name, *data):
    say(what="heard", name=name, data=list(data))


@client.event
def connect():
    say(what="connected")


@client.event
def connect_error(why):
    say(what="refused", data=why)


@client.event
def disconnect():
    say(what="disconnected")


client.connect(
    options["url"],
    headers=options.get("headers", {}),
    auth=options.get("auth"),
    transports=[options["transport"]],
    wait_timeout=30,
)
for line in sys.stdin:
    asked = json.loads(line)

    def answer(*args, number=asked["number"]):
        say(what="ack", number=number, data=list(args))

    client.emit(asked["name"], asked["data"], callback=answer)
client.disconnect()
# A goodbye that meets a pong on its way is never sent (engineio 4.3), and its poll waits for the server's next ping.
os._exit(0)
