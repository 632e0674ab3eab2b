#!/usr/bin/env python3
"""A bar sensor that publishes to Spotter (docs/connect-a-sensor.md).

Replace SimulatedSensor by your own; everything else can stay. Needs Python 3.9 and
paho-mqtt, 1.6 or 2.x (Debian: python3-paho-mqtt).

    python3 spotter_sensor.py --device bar-1 --athlete ana --exercise deadlift --load-kg 100

Each rep is on disk before it is sent, and leaves the disk when the broker has
acknowledged it: neither a lost network nor a power cut costs one.
"""

import argparse
import json
import os
import random
import secrets
import sqlite3
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone

import paho.mqtt.client as mqtt

STALE_S = 600  # from this age on a rep is a backlog, for which nobody is called
MOST = 500  # reps in one message
ANSWER_S = 20  # how long the broker may take to acknowledge


@dataclass
class Rep:
    """One rep as the sensor measured it. What it cannot measure stays None."""

    ended: float  # Unix time of the end of the concentric phase, by a clock that NTP sets
    mean_velocity_mps: float
    peak_velocity_mps: float = None
    rom_m: float = None
    concentric_s: float = None
    device_us: int = None  # since the sensor's start


class SimulatedSensor:
    """Lifts by itself. Yours has these two methods: reps, which waits for each rep, and
    cue, which is called from another thread with stop, slow or ok."""

    def __init__(self, count, pause_s):
        self.count, self.pause_s = count, pause_s

    def reps(self):
        began = time.monotonic()
        for n in range(self.count):
            time.sleep(self.pause_s)
            concentric_s = 1.0 + 0.05 * (n % 6)
            rom_m = 0.5 + random.uniform(-0.005, 0.005)
            mean = rom_m / concentric_s
            yield Rep(
                ended=time.time(),
                mean_velocity_mps=round(mean, 3),
                peak_velocity_mps=round(1.5 * mean, 3),
                rom_m=round(rom_m, 3),
                concentric_s=concentric_s,
                device_us=int((time.monotonic() - began) * 1e6),
            )

    def cue(self, cue):
        print("cue:", cue, flush=True)  # switch a lamp or a buzzer here


def rfc3339(unix):
    return datetime.fromtimestamp(unix, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Outbox:
    """Reps that the broker has not acknowledged yet, in a file."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.lock = threading.Lock()
        with self.lock, self.db:
            self.db.execute("PRAGMA synchronous = FULL")
            self.db.execute("CREATE TABLE IF NOT EXISTS reps (id INTEGER PRIMARY KEY, ended REAL, body TEXT, tried INTEGER DEFAULT 0)")

    def add(self, ended, body):
        with self.lock, self.db:
            self.db.execute("INSERT INTO reps (ended, body) VALUES (?, ?)", (ended, json.dumps(body)))

    def oldest(self, now):
        """The ids and the texts of the oldest reps. A text never changes once it was
        tried: the same rep with other content would be a conflict."""
        with self.lock, self.db:
            rows = self.db.execute("SELECT id, ended, body, tried FROM reps ORDER BY id LIMIT ?", (MOST,)).fetchall()
            texts = []
            for number, ended, body, tried in rows:
                if not tried:
                    if now - ended > STALE_S:
                        body = json.dumps({**json.loads(body), "historical": True})
                    self.db.execute("UPDATE reps SET body = ?, tried = 1 WHERE id = ?", (body, number))
                texts.append(body)
            return [row[0] for row in rows], texts

    def done(self, ids):
        with self.lock, self.db:
            self.db.executemany("DELETE FROM reps WHERE id = ?", [(i,) for i in ids])


class Publisher:
    """The connection to the broker, and a thread that empties the outbox."""

    def __init__(self, o, outbox, boot_id, on_cue):
        self.base = f"spotter/v1/{o.site}/device/{o.device}/"
        self.outbox, self.boot_id, self.on_cue = outbox, boot_id, on_cue
        self.connected, self.wake = threading.Event(), threading.Event()
        client_id = f"{o.site}-{o.device}"  # constant: the broker keeps the session under it
        if hasattr(mqtt, "CallbackAPIVersion"):  # paho 2
            self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, protocol=mqtt.MQTTv311)
        else:
            self.client = mqtt.Client(client_id=client_id, clean_session=False, protocol=mqtt.MQTTv311)
        if o.username:
            self.client.username_pw_set(o.username, o.password)
        if o.tls or o.ca:
            self.client.tls_set(ca_certs=o.ca, tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.will_set(self.base + "status", self.status("lost"), qos=1, retain=True)
        self.client.reconnect_delay_set(1, 30)
        self.client.on_connect = self.connect
        self.client.on_disconnect = self.disconnect
        self.client.on_message = self.message
        self.client.connect_async(o.host, o.port, keepalive=30)
        self.client.loop_start()
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def status(self, state):
        return json.dumps({"state": state, "boot_id": self.boot_id, "firmware": "example-1"})

    # paho 1 calls with (client, userdata, flags, code), paho 2 with properties behind it.
    def connect(self, client, _userdata, _flags, code, *_):
        if code != 0:
            print("the broker refuses:", code, flush=True)
            return
        client.publish(self.base + "status", self.status("ready"), qos=1, retain=True)
        client.subscribe(self.base + "cue", qos=0)
        print("connected; publishing on", self.base + "rep", flush=True)
        self.connected.set()
        self.wake.set()

    def disconnect(self, *_):
        self.connected.clear()

    def message(self, _client, _userdata, message):
        try:
            self.on_cue(json.loads(message.payload)["cue"])
        except (ValueError, KeyError, TypeError):
            pass  # not a cue

    def run(self):
        while not self.closing:
            self.wake.wait(1)
            self.wake.clear()
            while self.connected.is_set() and self.send():
                pass

    def send(self):
        """Sends the oldest reps, and forgets them once they are acknowledged. Reports
        whether there may be more."""
        ids, texts = self.outbox.oldest(time.time())
        if not ids:
            return False
        info = self.client.publish(self.base + "rep", "[" + ",".join(texts) + "]", qos=1)
        try:
            info.wait_for_publish(ANSWER_S)  # of QoS 1: until the PUBACK
        except (ValueError, RuntimeError):
            return False
        if not info.is_published():
            return False  # sent again with the next turn
        self.outbox.done(ids)
        return True

    def close(self):
        self.closing = True
        self.wake.set()
        self.thread.join()
        if self.connected.is_set():
            self.client.publish(self.base + "status", self.status("sleeping"), qos=1, retain=True).wait_for_publish(5)
        self.client.disconnect()
        self.client.loop_stop()


def options():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=1883)
    p.add_argument("--username", help="such as main/bar-1; the password is read from SPOTTER_PASSWORD")
    p.add_argument("--tls", action="store_true", help="with the authorities that this system trusts")
    p.add_argument("--ca", help="file with the authority to trust instead, such as the one of spotter tls")
    p.add_argument("--site", default="main")
    p.add_argument("--device", default="bar-1")
    p.add_argument("--athlete", help="left out, the device's assignment says who it is")
    p.add_argument("--exercise")
    p.add_argument("--load-kg", type=float)
    p.add_argument("--outbox", default="spotter-outbox.db", help="file of the reps that are not acknowledged yet")
    p.add_argument("--reps", type=int, default=6, help="of the simulated sensor")
    p.add_argument("--pause", type=float, default=3.0, help="seconds between its reps")
    o = p.parse_args()
    o.password = os.environ.get("SPOTTER_PASSWORD")
    return o


def main():
    o = options()
    boot_id = secrets.token_hex(6)  # new with each start; seq counts up within it
    sensor = SimulatedSensor(o.reps, o.pause)
    os.umask(0o077)  # who lifted what is nobody else's business
    outbox = Outbox(o.outbox)
    publisher = Publisher(o, outbox, boot_id, sensor.cue)
    who = {"athlete": o.athlete, "exercise": o.exercise, "load_kg": o.load_kg}
    try:
        for seq, rep in enumerate(sensor.reps()):
            body = {"boot_id": boot_id, "seq": seq, "time": rfc3339(rep.ended), **who, **vars(rep)}
            del body["ended"]
            # What is not known is left out: null and 0 would say something else.
            outbox.add(rep.ended, {k: v for k, v in body.items() if v is not None})
            publisher.wake.set()
        while outbox.oldest(time.time())[0]:  # wait until everything is acknowledged
            time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    publisher.close()


if __name__ == "__main__":
    main()
