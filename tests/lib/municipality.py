"""Muratpaşa's configuration with something else in it, for a test's own folder."""
import csv
import datetime
import os
import shutil

from stack import CONFIG


def config_copy(folder, **changes):
    """The same files, with other values in municipality.csv; the folder."""
    shutil.copytree(CONFIG, folder)
    path = os.path.join(folder, "municipality.csv")
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(",", 1) for line in file]
    with open(path, "w", encoding="utf-8") as file:
        for key, value in rows:
            file.write(f"{key},{changes.get(key, value)}\n")
    return folder


def never_quiet(folder, **changes):
    """The same municipality, sending SMS at any hour: tests run at night too."""
    return config_copy(folder, quiet_from="00:00", quiet_to="00:00", **changes)


def with_special(folder, code):
    """That subject becomes one of a special category, hidden from the public; the folder."""
    path = os.path.join(folder, "subjects.csv")
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{code},"))
    assert lines[at].endswith(",yes,no,realtime"), lines[at]
    lines[at] = lines[at][:-len("yes,no,realtime")] + "no,yes,realtime"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return folder


def reminded_now(folder, code):
    """That department works at any hour, and a window of its digests is open while a test runs; it has triage as well.
    The folder."""
    path = os.path.join(folder, "municipality.csv")
    with open(path, encoding="utf-8") as file:
        rows = [f"triage_department,{code}\n" if row.startswith("triage_department,") else row for row in file]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(rows)
    at = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=3)))
    minute = max(at.hour * 60 + at.minute - 5, 0)
    times = [minute] if minute < 23 * 60 else [0, minute]
    path = os.path.join(folder, "departments.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["remind_at"] = row["escalate_to"] = row["escalate_after_hours"] = ""
        if row["code"] == code:
            row.update(calendar="nobet", remind_at=";".join(f"{m // 60:02d}:{m % 60:02d}" for m in times))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder
