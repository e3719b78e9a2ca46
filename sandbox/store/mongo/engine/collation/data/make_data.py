"""Writes the data of this folder: root.bin.gz, the weights of Unicode's root collation
(CLDR), and tailorings.txt.gz, the rules of each locale. They come out of ICU by its Python
binding (pip install PyICU); run it in this folder after an update of ICU:

    python3 make_data.py
"""
import gzip
import re
import sys
import unicodedata

import icu

ROOT = icu.Collator.createInstance(icu.Locale("root"))
OMITTED = {"emoji"}  # collations that ICU 57, the server's, does not have
RENAMED = {"sv@collation=traditional": "sv@collation=standard"}  # as ICU 57 names them
NEWER = {"ceb", "ff", "ff_Adlm", "ku", "no", "nb_NO", "sa", "tk", "xh", "wo", "uz", "br", "fy", "mi", "ar_SA", "id_ID", "he_IL"}


def elements(s):
    """The collation elements of a string: (primary, secondary, tertiary with case)."""
    it = ROOT.createCollationElementIterator(s)
    orders = []
    for o in it:
        orders.append(o & 0xFFFFFFFF)
    out = []
    i = 0
    while i < len(orders):
        o = orders[i]
        p, s2, t = (o >> 16) << 16, ((o >> 8) & 0xFF) << 8, (o & 0xFF) << 8
        if i + 1 < len(orders) and orders[i + 1] & 0xC0 == 0xC0:
            n = orders[i + 1]
            p |= n >> 16
            s2 |= (n >> 8) & 0xFF
            t |= n & 0x3F
            i += 1
        if p or s2 or t:
            out.append((p, s2, t))
        i += 1
    return out


def nfd(s):
    return str(icu.Normalizer2.getNFDInstance().normalize(s))


def nfc(s):
    return str(icu.Normalizer2.getNFCInstance().normalize(s))


def han(c):
    return icu.Char.hasBinaryProperty(c, icu.UProperty.UNIFIED_IDEOGRAPH)


def kept(c):
    if 0xD800 <= c < 0xE000 or 0xAC00 <= c < 0xD7A4 or han(c) or not icu.Char.isdefined(c):
        return False
    script = icu.Script.getScript(chr(c)).getShortName()
    return script not in ("Tang", "Nshu", "Kits") and not (icu.Char.charType(c) == 17)  # private use


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


def write(out, ces, last):
    out += varint(len(ces))
    for p, s, t in ces:
        out += zigzag(p - last[0]) + varint(s) + varint(t)
        last[0] = p


def root():
    out, last, prev = bytearray(), [0], 0
    singles, pairs = [], []
    for c in list(range(0, 0x30000)) + list(range(0xE0000, 0xE0200)):
        s = chr(c)
        if kept(c):
            d = nfd(s)
            if d == s:
                singles.append((c, elements(s)))
            else:
                parts = [e for x in d for e in elements(x)]
                if parts != elements(s) and len(d) > 1:
                    pairs.append((d, elements(s)))
    out += varint(len(singles))
    for c, ces in singles:
        out += varint(c - prev)
        prev = c
        write(out, ces, last)
    out += varint(len(pairs))
    for d, ces in pairs:
        out += varint(len(d))
        for x in d:
            out += varint(ord(x))
        write(out, ces, last)
    groups = boundaries(singles)
    out += varint(len(groups))
    for name, first in groups:
        out += varint(len(name)) + name.encode() + varint(first)
    print(len(singles), "characters", len(pairs), "contractions", groups[:9], "max", hex(max(p for _, ces in singles for p, _, _ in ces)))
    return bytes(out)


def boundaries(singles):
    """Where the groups of characters begin that a locale may put into another order."""
    groups, first = [], 0
    for name in ("space", "punct", "symbol", "currency"):
        groups.append((name, first))
        c = icu.Collator.createInstance(icu.Locale("root@kv=" + name))
        first = (c.getVariableTop() + 1 & 0xFFFF) << 16
    groups.append(("digit", first))
    least, letters = {}, elements("a")[0][0]
    for ch, ces in singles:
        if len(ces) == 1 and ces[0][0] >= letters and unicodedata.category(chr(ch)).startswith("L"):
            s = icu.Script.getScript(chr(ch)).getShortName()
            if s in ("Zyyy", "Zinh"):
                continue
            least[s] = min(least.get(s, 1 << 33), ces[0][0])
    for s, p in sorted(least.items(), key=lambda x: x[1]):
        groups.append((s, p))
    return groups


# The tones of pinyin, which ICU imports and does not show.
PINYIN = "".join(
    "&[before 2]%s" % v + "".join("<<%s<<<%s" % (nfc(v + t), nfc(v.upper() + t)) for t in "\u0304\u0301\u030c\u0300") for v in "aeimnou"
)
PINYIN += "&e<<ê<<<Ê" + "".join("<<%s<<<%s" % (nfc("ê" + t), nfc("Ê" + t)) for t in "\u0304\u0301\u030c\u0300")
PINYIN += "&U" + "".join("<<%s<<<%s" % (nfc("ü" + t), nfc("Ü" + t)) for t in "\u0304\u0301\u030c\u0300") + "<<ü<<<Ü"


def kana():
    """The order of kana, which ICU imports and does not show: hiragana before katakana at
    the fourth level alone, and marks that repeat or lengthen what stands before them."""
    out, lengthened = [], {}
    halfwidth = {unicodedata.normalize("NFKC", chr(c)): chr(c) for c in range(0xFF66, 0xFF9E)}
    for c in range(0x3041, 0x3097):
        hira, kata = chr(c), chr(c + 0x60)
        name = unicodedata.name(hira)
        if len(nfd(hira)) == 1:
            out.append("&%s<<<<%s" % (hira, kata) + ("=" + halfwidth[kata] if kata in halfwidth else ""))
        if name[-1] in "AIUEO" and name != "HIRAGANA LETTER SMALL TU":
            lengthened.setdefault(name[-1], []).extend([hira, kata] + ([halfwidth[kata]] if kata in halfwidth else []))
        large = chr(c + 1) if " SMALL " in name and c < 0x3090 and c != 0x308E else hira
        large = {"ゕ": "か", "ゖ": "け", "ゎ": "わ"}.get(hira, large)
        more = "=" + halfwidth[kata] + "|ヽ" if kata in halfwidth else ""
        out.append("&[before 3]%s<<<%s|ゝ<<<<%s|ヽ" % (large, hira, kata) + more)
    lengthened["A"].append("ヷ")
    lengthened["I"].append("ヸ")
    lengthened["E"].append("ヹ")
    lengthened["O"].append("ヺ")
    for vowel, small in zip("AIUEO", "ぁぃぅぇぉ"):
        out.append("&[before 3]%s<<<" % small + "=".join(x + "|ー" for x in lengthened[vowel]))
    wide = "".join("&'%s'=%s" % (chr(c), chr(c + 0xFEE0)) for c in range(0x21, 0x7F) if chr(c) != "'")
    wide += "&''=＇" + "".join("&%s=%s" % tuple(x) for x in ("¢￠", "£￡", "¬￢", "¦￤", "¥￥", "₩￦"))
    return "".join(out) + wide + "&' '='\u3000'=￣&、=､&。=｡&「=｢&」=｣&ゝ<<<<ヽ"


def rules(name):
    r = str(icu.Collator.createInstance(icu.Locale(name)).getRules())

    def inner(m):
        tag = m.group(1)
        if tag == "ja-u-co-private-kana":
            return kana()
        if tag == "zh-u-co-private-pinyin":
            return PINYIN
        loc, _, co = tag.partition("-u-co-")
        loc = "root" if loc == "und" else loc.replace("-", "_")
        return rules(loc + ("@collation=" + co if co else ""))

    return re.sub(r"\[import ([^\]]*)\]", inner, r)


def tailorings():
    seen, lines = {}, []
    for l in sorted(icu.Collator.getAvailableLocales()):
        if l in NEWER:
            continue
        for kw in [""] + [k for k in icu.Collator.getKeywordValuesForLocale("collation", icu.Locale(l), True) if k not in OMITTED]:
            name = l + ("@collation=" + kw if kw else "")
            if icu.Collator.createInstance(icu.Locale(name)).getLocale(icu.ULocDataLocaleType.VALID_LOCALE).getName() != name:
                continue
            if kw == "unihan":
                lines.append(name + "\t!")  # ICU does not show all their rules
                continue
            r = rules(name)
            name = RENAMED.get(name, name)
            if r in seen:
                lines.append(name + "\t=" + seen[r])
            else:
                seen[r] = name
                lines.append(name + "\t" + r.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t"))
    print(len(lines), "locales", len(seen), "tailorings", sum(len(x.encode()) for x in lines), "bytes")
    return "\n".join(lines).encode()


for name, data in (("root.bin.gz", root()), ("tailorings.txt.gz", tailorings())):
    with open(name, "wb") as f:
        with gzip.GzipFile("", "wb", 9, f, 0) as z:
            z.write(data)
    print(name, len(data), file=sys.stderr)
