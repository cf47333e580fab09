"""The attachments' folder is kept to what the record knows of, whatever waits or cannot be removed."""
import os
import time

import photos
from intake_world import ticket_id
from test_intake_attachments import files_of, number_on, rows_of, send, token_of
from test_intake_spool import away, begin, drained, keyed, number_of

PART = 256  # names that intake deals with at a time


def photo_of(stack, phone):
    """(its ticket's number, its path)."""
    number = number_on(send(stack, token_of(stack), photos.plain("plain.jpeg"), phone=phone))
    name = rows_of(stack, number)[0][0]
    return number, next(path for path in files_of(stack) if path.endswith(name))


def erase(stack, phone):
    stack.masa("citizen", "erase", phone, "--reason", "istek", "--confirm", "1", "--open-too")


def put(stack, names, old=True):
    """Files of these names; their paths."""
    folder = stack.path("state", "intake", "attachments")
    paths = [os.path.join(folder, name[:2], name) for name in names]
    for path in paths:
        with open(path, "wb") as file:
            file.write(b"x")
        if old:
            os.utime(path, (time.time() - 7200, time.time() - 7200))
    return paths


def erased_names(stack):
    return stack.one("select count(*) from turunc.erased_file")


def removed(stack, why):
    return stack.metric("intake", f'turunc_intake_attachments_removed_total{{why="{why}"}}')


def test_a_look_through_all_folders_is_soon_over(make_stack):
    """Though nobody asks anything of intake meanwhile, and the other looks come as often as they may: at a folder a
    second it would be 256 s."""
    stack = begin(make_stack, TURUNC_ATTACHMENTS_ORPHAN_AGE="1h", TURUNC_ATTACHMENTS_LOOK="1s")
    orphans = put(stack, [f"{folder:02x}" * 32 for folder in range(256)])
    stack.wait(lambda: not any(map(os.path.exists, orphans)), 150, "every folder was looked into")


def test_what_is_set_aside_keeps_orphans_and_no_erased_photo(make_stack):
    stack = begin(make_stack, TURUNC_ATTACHMENTS_ORPHAN_AGE="1h", TURUNC_ATTACHMENTS_LOOK="1s")
    _, path = photo_of(stack, "0532 999 88 77")
    stack.sql("""alter table turunc.ticket add constraint none_of_these
                 check (client <> 'app' or recorded_us < 0) not valid""")
    away(stack)
    number = number_of(keyed(stack, "kept"))
    stack.restart("postgres")
    stack.wait(lambda: stack.metric("intake", "turunc_intake_spool_items_set_aside") >= 1, 30)
    orphan, = put(stack, ["ab" * 32])
    erase(stack, "05329998877")
    stack.wait(lambda: not os.path.exists(path), 60, "the erased photo is removed")
    stack.wait(lambda: erased_names(stack) == 0, 60, "its name is off")
    assert stack.metric("intake", "turunc_intake_spool_items_set_aside") >= 1, "as it was meanwhile"
    assert os.path.exists(orphan) and removed(stack, "orphan") == 0, "it may be of what waits"
    stack.sql("alter table turunc.ticket drop constraint none_of_these")
    stack.kill9("intake")
    stack.start("intake")
    drained(stack)
    stack.wait(lambda: not os.path.exists(orphan), 60, "nothing waits: the orphan is removed")
    assert stack.one("select count(*) from turunc.ticket where ticket_id = %s", ticket_id(number)) == 1


def test_a_name_stays_until_its_file_is_removed_and_holds_nobody_up(make_stack):
    """A folder in a file's place is what even root cannot unlink."""
    stack = begin(make_stack, TURUNC_ATTACHMENTS_LOOK="2s")
    _, path = photo_of(stack, "0532 999 88 77")
    aside = stack.path("aside")
    os.rename(path, aside)
    os.mkdir(path)
    erase(stack, "05329998877")
    stack.wait(lambda: stack.metric(
        "intake", 'turunc_intake_attachments_not_removed_total{why="erased"}') >= 1, 60, "it was tried")
    stuck = [f"00{n:062x}" for n in range(PART)]
    folder = stack.path("state", "intake", "attachments", "00")
    for name in stuck:
        os.mkdir(os.path.join(folder, name))
    behind, = put(stack, ["ff" * 32], old=False)
    stack.sql("insert into turunc.erased_file select decode(name, 'hex'), 1 from unnest(%s) name",
              [*stuck, "ff" * 32])
    stack.wait(lambda: not os.path.exists(behind), 90, "what comes behind a whole part of them is removed")
    stack.wait(lambda: erased_names(stack) == PART + 1, 60, "and only its name is off")
    for name in stuck:
        os.rmdir(os.path.join(folder, name))
    os.rmdir(path)
    os.rename(aside, path)
    stack.wait(lambda: not os.path.exists(path), 90, "tried again, it is removed")
    stack.wait(lambda: erased_names(stack) == 0, 60, "and no name is left")


def test_every_file_of_a_full_folder_is_looked_at(make_stack):
    """More old ones than fit into a question, and most of them stay."""
    stack = begin(make_stack, TURUNC_ATTACHMENTS_ORPHAN_AGE="1h", TURUNC_ATTACHMENTS_LOOK="365d")
    number, _ = photo_of(stack, "0532 999 88 77")
    names = [f"ab{n:02x}{n * 7919 % 65536:060x}" for n in range(200)] + [f"abff{n:060x}" for n in range(400)]
    known, orphans = [n for i, n in enumerate(names) if i % 4], names[::4]
    stack.sql("""insert into turunc.attachment
                 select (jsonb_populate_record(a, jsonb_build_object('owner_id', gen_random_uuid(),
                                                                     'digest', '\\x' || name))).*
                 from turunc.attachment a, unnest(%s) name where a.ticket_id = %s""", known, ticket_id(number))
    stack.terminate("intake")
    stay, go = put(stack, known), put(stack, [*orphans, "cd" * 32])
    stack.start("intake")
    stack.wait(lambda: not any(map(os.path.exists, go)), 120, "every orphan is removed, and the look goes on")
    assert all(map(os.path.exists, stay))
    assert removed(stack, "orphan") == len(go)
