#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid, sanitizer_env
from lib.process import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
WRITER = os.path.join(HERE, "..", "unit", "daemon", "geo_databases.pl")


def test(s):
    """Databases of regions: one that is missing, damaged or of another kind
    refuses a start and a reload with its place; the old one stays in force,
    also while its file is cut short under it."""
    s.need("perl")
    if s.run(["perl", "-MMaxMind::DB::Writer::Tree", "-e", "1"],
             check=False).returncode:
        raise Skip("needs libmaxmind-db-writer-perl")
    folder = s.path("geo")
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    s.run(["perl", WRITER, folder])
    country, asn = (os.path.join(folder, name)
                    for name in ("country.mmdb", "asn.mmdb"))
    port = s.port()
    server = ("127.0.0.1", port)

    def config(file):
        return {
            "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
                "records": ["@ SOA ns1 admin 1 2h 1h 14d 30s", "@ NS ns1",
                            "ns1 A 192.0.2.53"],
                "resources": {"www": {"pops": ["ams"]}}}}},
            "pops": {"ams": {"addresses": ["192.0.2.20"]}},
            "regions": {
                "eu": {"geo": ["continent:EU", "country:TR"]},
                "isp": {"geo": "asn:3320"},
                "lab": {"prefixes": "198.51.100.0/25"}},
            "geo": {"file": file, "asn": asn}}

    b = Braid(s, config(country))

    def answers():
        return ask(server, "www.cdn.example").data("CNAME") == \
            ["www--ams.cdn.example."]

    def refused(file, why):
        b.write_config(config(file))
        checked = s.run([os.path.join(s.bin, "braidd"), "-c", "-f", b.file],
                        check=False, env=sanitizer_env())
        s.equal(checked.returncode, 78, f"{why}: the exit code of -c")
        answer = b.ctl_answer("reload", seconds=60)
        s.equal(answer["exit"], 78, f"{why}: that of a reload")
        for text in (checked.stderr, " ".join(answer["data"]["lines"])):
            s.check(b.place_of(file) in text and "geo.file" in text and
                    why in text, f"it is said where and why: {text.strip()}")
        s.check(answers(), "the old configuration answers")

    s.check(answers(), "it answers")
    refused(s.path("nowhere.mmdb"), "No such file")
    refused(asn, "it has no countries")
    with open(country, "rb") as f:
        whole = f.read()
    # In place, so that what had it mapped would die of reading it.
    with open(country, "r+b") as f:
        f.truncate(100)
    s.check(answers(), "it answers while the file is cut")
    refused(country, "no MaxMind database")
    with open(country, "r+b") as f:
        f.write(whole)
    s.equal(b.reload(config(country))["accepted"], True, "the whole file")
    s.check(answers(), "it answers by it")
    said = ["nothing changed", "the databases of regions changed"]

    def changes():
        return [line["changes"] for line in b.events("reloaded")]

    s.until(lambda: changes() == said[:1], "the log says so of the same bytes")
    os.replace(os.path.join(folder, "flat.mmdb"), country)
    b.reload()
    s.until(lambda: changes() == said, "and of others")
    b.stop()


scenario.run(test)
