"""Lines of bench/measurement.schema.json, of which `thaw report` makes charts."""

import json


def processor():
    """As Linux names it on x86; other architectures have no such line."""
    with open("/proc/cpuinfo") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else "unknown"


def print_measurement(benchmark, title, setting, what, threads, figures, version, repetitions=1, limit=None,
                      byte_count=None, **more):
    """`figures` are those of a time (seconds, low, high, limit_seconds) or of a value (value, low, high, unit)."""
    print(json.dumps(dict(schema="thaw-measurement-1", benchmark=benchmark, title=title, setting=setting, what=what,
                          size=None, size_unit=None, threads=threads, **figures, repetitions=repetitions, limit=limit,
                          bytes=byte_count, processor=processor(), version=version, **more)), flush=True)
