"""Oracles for identifiers that python-stdnum does not know.

Each is written from the authority's description and apart from the Rust checks, so that a slip in
one of the two shows. `oracles.NAME` in the tables names a function here.
"""

from datetime import datetime


def digits(value):
    return [int(c) for c in value if c.isdigit()]


def dot(value, weights):
    return sum(d * w for d, w in zip(digits(value), weights, strict=False))


def luhn(value):
    total = 0
    for at, digit in enumerate(reversed(digits(value))):
        total += sum(divmod(digit * 2, 10)) if at % 2 else digit
    return total % 10 == 0 and int("".join(map(str, digits(value)))) > 0


def is_date(value, form):
    try:
        return bool(datetime.strptime(value, form))
    except ValueError:
        return False


def shape(value):
    """No check digit: the shape is all there is."""
    return True


def ae_emirates_id(value):
    return value.startswith("784") and luhn(value)


def au_medicare(value):
    return dot(value, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 == int(value[8])


def br_pis(value):
    return -dot(value, [3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) % 11 % 10 == int(value[10])


def eg_national_id(value):
    century = {"2": "19", "3": "20"}.get(value[0])
    return century is not None and is_date(century + value[1:7], "%Y%m%d")


def hk_hkid(value):
    head, body, check = value[:-7], value[-7:-1], value[-1]
    letters = [36] * (2 - len(head)) + [ord(c) - 55 for c in head]
    total = sum(v * w for v, w in zip(letters + digits(body), range(9, 1, -1), strict=True))
    return "0123456789A"[-total % 11] == check


def ir_melli(value):
    rest = dot(value, range(10, 1, -1)) % 11
    return int(value[9]) == (rest if rest < 2 else 11 - rest)


def jp_driver_licence(value):
    check = (11 - dot(value, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10
    return 10 <= int(value[:2]) <= 97 and check == int(value[10])


def kr_brn(value):
    total = dot(value, [1, 3, 7, 1, 3, 7, 1, 3]) + sum(divmod(int(value[8]) * 5, 10))
    return value >= "101" and value[3:5] != "00" and -total % 10 == int(value[9])


def kw_civil_id(value):
    return 11 - dot(value, [2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11 == int(value[11])


def kz_iin(value):
    for weights in (list(range(1, 12)), [*range(3, 12), 1, 2]):
        check = dot(value, weights) % 11
        if check < 10:
            return check == int(value[11])
    return False


def mx_clabe(value):
    return -sum(d * w % 10 for d, w in zip(digits(value[:17]), [3, 7, 1] * 6, strict=False)) % 10 == int(value[17])


def mx_nss(value):
    return luhn(value)


def ni_cedula(value):
    return "ABCDEFGHJKLMNPQRSTUVWXY"[int(value[:13]) % 23] == value[13]


def nz_nhi(value):
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    total = sum(
        w * (int(c) if c.isdigit() else alphabet.index(c) + 1) for c, w in zip(value, range(7, 1, -1), strict=False)
    )
    if value[6].isdigit():
        return total % 11 != 0 and (11 - total % 11) % 10 == int(value[6])
    return alphabet[23 - total % 24] == value[6]


def sa_national_id(value):
    return luhn(value)


def sg_nric(value):
    total = dot(value[1:8], [2, 7, 6, 5, 4, 3, 2]) + {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}[value[0]]
    tables = {"S": "ABCDEFGHIZJ", "T": "ABCDEFGHIZJ", "F": "KLMNPQRTUWX", "G": "KLMNPQRTUWX", "M": "KLJNPQRTUWX"}
    return tables[value[0]][10 - total % 11] == value[8]


def sv_dui(value):
    return -dot(value, range(9, 1, -1)) % 10 == int(value[8])


def tw_id(value):
    code = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0])
    total = code // 10 + code % 10 * 9 + dot(value[1:9], [8, 7, 6, 5, 4, 3, 2, 1])
    return (total + int(value[9])) % 10 == 0


def us_dea(value):
    n = digits(value[2:])
    return (n[0] + n[2] + n[4] + 2 * (n[1] + n[3] + n[5])) % 10 == n[6]


def us_npi(value):
    return luhn("80840" + value)


def uy_ci(value):
    return -dot(value, [2, 9, 8, 7, 6, 3, 4]) % 10 == int(value[7])


def zw_id(value):
    return "ZABCDEFGHJKLMNPQRSTVWXY"[int(value[:-3]) % 23] == value[-3]


def cross_sum(value):
    return sum(int(c) for c in str(value))


def letter_number(letter):
    return f"{ord(letter) - 64:02}"


def document_sum(value, weights):
    """ICAO Doc 9303: letters count from 10."""
    return sum(int(c, 36) * weights[at % len(weights)] for at, c in enumerate(value))


def de_kvnr(value):
    spelled = letter_number(value[0]) + value[1:9]
    total = sum(cross_sum(int(c) * (1 + at % 2)) for at, c in enumerate(spelled))
    return total % 10 == int(value[9])


def de_rvnr(value):
    spelled = value[:8] + letter_number(value[8]) + value[9:11]
    weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]
    total = sum(cross_sum(int(c) * weight) for c, weight in zip(spelled, weights, strict=True))
    return is_date(value[2:8], "%d%m%y") and total % 10 == int(value[11])


def de_id_card(value):
    return document_sum(value[:9], [7, 3, 1]) % 10 == int(value[9])


def hu_tax_person(value):
    return value[0] == "8" and dot(value[:9], range(1, 10)) % 11 == int(value[9])


def hu_taj(value):
    return dot(value[:8], [3, 7] * 4) % 10 == int(value[8])


def pl_id_card(value):
    return document_sum(value[:3] + value[4:], [7, 3, 1, 7, 3, 1, 7, 3]) % 10 == int(value[3])


def ru_snils(value):
    if int(value[:9]) <= 1_001_998:
        return False
    total = sum(int(c) * (9 - at) for at, c in enumerate(value[:9]))
    return total % 101 % 100 == int(value[9:])


def jmbg(value):
    a, b, c, d, e, f, g, h, i, j, k, m = digits(value[:12])
    total = 7 * (a + g) + 6 * (b + h) + 5 * (c + i) + 4 * (d + j) + 3 * (e + k) + 2 * (f + m)
    year = ("2" if value[4] == "0" else "1") + value[4:7]
    return is_date(value[:4] + year, "%d%m%Y") and (11 - total % 11) % 11 == int(value[12])
