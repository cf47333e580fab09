"""Photos as people and attackers send them: real ones from tests/data/photos with metadata put in,
and files that only look like one."""
import os
import struct
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "photos")
SECRET = b"GPS 36.8841 30.7056 Nikon of Ayse"  # what must not be left


def plain(name):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


# --- Exif ---------------------------------------------------------------------------------------------

def tiff(orientation=1, little=False):
    """One directory: make (a text with the secret in it), orientation, and a place."""
    order = "<" if little else ">"
    def entry(tag, kind, count, value):
        return struct.pack(order + "HHI", tag, kind, count) + value
    short = struct.pack(order + "HH", orientation, 0)
    text_at = 8 + 2 + 3 * 12 + 4
    entries = [entry(0x010F, 2, len(SECRET), struct.pack(order + "I", text_at)),
               entry(0x0112, 3, 1, short),
               entry(0x8825, 4, 1, struct.pack(order + "I", text_at))]
    head = (b"II*\0" if little else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", 3) + b"".join(entries) + b"\0" * 4 + SECRET


# --- JPEG ---------------------------------------------------------------------------------------------

def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(orientation=1, little=False, name="plain.jpeg"):
    """A camera's: Exif, XMP, a comment, IPTC, a second picture and a film behind the end."""
    file = plain(name)
    extra = (segment(0xE1, b"Exif\0\0" + tiff(orientation, little))
             + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET + b"</x>")
             + segment(0xED, b"Photoshop 3.0\0" + SECRET) + segment(0xFE, SECRET)
             + segment(0xE2, b"MPF\0" + SECRET))
    return file[:2] + extra + file[2:] + file + b"ftypmp42" + SECRET


# --- PNG ----------------------------------------------------------------------------------------------

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width, height, data=None):
    rows = b"".join(b"\0" + b"\x80" * (3 * width) for _ in range(height)) if data is None else data
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def png(orientation=1):
    file = plain("plain.png")
    extra = (chunk(b"eXIf", tiff(orientation)) + chunk(b"tEXt", b"Author\0" + SECRET)
             + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SECRET) + chunk(b"tIME", b"\x07\xea\1\1\0\0\0")
             + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"\0" * 1000000)))
    return file[:33] + extra + file[33:] + SECRET


def bomb():
    """30,000 by 30,000 pixels in a few hundred bytes, were it whole."""
    return png_of(30000, 30000, b"\0" * 100000)


# --- WebP ---------------------------------------------------------------------------------------------

def riff_chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(orientation=1, name="lossy.webp"):
    file = plain(name)
    body = bytearray(file[12:])
    body[8] |= 0x08 | 0x04  # Exif and XMP
    body += riff_chunk(b"EXIF", tiff(orientation)) + riff_chunk(b"XMP ", SECRET)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + bytes(body) + SECRET


def moving_webp():
    file = bytearray(plain("lossy.webp"))
    file[20] |= 0x02
    return bytes(file)


# --- what is none -------------------------------------------------------------------------------------

HTML = b"<!doctype html><script>alert(1)</script>" + b" " * 100
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100
GIF = b"GIF89a" + b"\1\0\1\0\x80\0\0" + b"\0" * 60


def polyglot():
    """A JPEG with a page and a ZIP in its comment and behind its end."""
    file = plain("plain.jpeg")
    return file[:2] + segment(0xFE, HTML) + file[2:] + b"PK\3\4" + HTML


# --- forms --------------------------------------------------------------------------------------------

def multipart(fields, files, boundary="----form7d1"):
    """fields: (name, value); files: (field, file name, bytes).  (body, content type)."""
    body = b""
    for name, value in fields:
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                 f"{value}\r\n").encode()
    for field, name, data in files:
        body += (f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"'
                 "\r\nContent-Type: application/octet-stream\r\n\r\n").encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
