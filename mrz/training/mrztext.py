"""Random MRZ lines of fictional people, check digits included (ICAO 9303-3 §4.9)."""
import string
from dataclasses import dataclass

LETTERS = string.ascii_uppercase
DIGITS = string.digits
ALPHABET = LETTERS + DIGITS + "<"


@dataclass
class Stock:
    """What training and evaluation take names and states from."""

    words: list  # names are one of them, or some one after another
    joined: tuple  # how many make a name
    states: list


TRAINING = Stock(
    (
        "AN ER IK SON MAR TIN SEN LA RO DE VAN MUL LER KO VA LI WANG CHEN NG UYEN SI LVA O QU EI JO"
        " HAN NA THO MAS BJ OER AA GE XI ZH YU FRA NC OIS Z KW BO DO PE TRO V PH IL WI CH UE"
    ).split(),
    (1, 2, 2, 3, 3, 4),
    (
        "AFG ALB AUS AUT BEL BRA CAN CHE CHL CHN CZE D<< DNK EGY ESP EST EUE FIN FRA GBR GRC HRV HUN"
        " IND IRL ISL ISR ITA JPN KEN KOR LTU LUX LVA MEX NGA NLD NOR NZL PAK PHL POL PRT ROU RUS SGP"
        " SVK SVN SWE THA TUR UKR USA UTO VNM XXA XXB ZAF"
    ).split(),
)
EVALUATION = Stock(
    (
        "NIELSEN JENSEN PEDERSEN KRISTENSEN SOERENSEN JOERGENSEN MOELLER KNUDSEN SMITH TAYLOR WILLIAMS"
        " KOWALSKA NOWAK WISNIEWSKI GARCIA FERNANDEZ RODRIGUEZ SCHMIDT FISCHER WEBER ROSSI ESPOSITO"
        " POPESCU IVANOVA PETROV TRAN KIM PARK YILMAZ OEZTUERK AHMED HUSSAIN SINGH KAUR OKAFOR MBEKI"
        " TANAKA SUZUKI FREJA IDA EMMA ALMA OSCAR NOAH VALDEMAR AASE ZSOFIA XAVIER QUENTIN YVETTE"
        " WOJCIECH KRZYSZTOF JUDY FAY OLGA BOBBY GIGI LILLI UGO IGGY VIVI"
    ).split(),
    (1, 1, 1, 2),
    (
        "ARE ARG ARM AZE BGD BGR BIH BLR COL CYP D<< DNK DZA ECU ESP ETH FRA GBD GBR GEO GHA HKG IDN IRN"
        " IRQ ISL JAM JOR KAZ KGZ KWT LBN LKA MAR MDA MKD MLT MNE MYS NOR NPL PER POL QAT SAU SEN SMR SRB"
        " SWE SYR TUN TWN TZA UGA UNA UNO URY UTO UZB VAT VEN XOM"
    ).split(),
)


def check_digit(text):
    """Σ value·weight mod 10, the weights 7, 3, 1 repeating."""
    value = lambda c: 0 if c == "<" else int(c, 36)
    return str(sum(value(c) * (7, 3, 1)[i % 3] for i, c in enumerate(text)) % 10)


def name(rng, stock=TRAINING):
    return "".join(rng.choice(stock.words) for _ in range(rng.choice(stock.joined)))


def names(rng, width, stock):
    surname = "<".join(name(rng, stock) for _ in range(rng.choice([1, 1, 1, 2])))
    given = "<".join(name(rng, stock) for _ in range(rng.choice([0, 1, 1, 2, 2, 3])))
    return (surname + ("<<" + given if given else ""))[:width].ljust(width, "<")


def date(rng, first_year, last_year):
    year = rng.randint(first_year, last_year) % 100
    return f"{year:02}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"


def document_number(rng):
    """Nine characters in the patterns that issuers use."""
    some = lambda alphabet, count: "".join(rng.choice(alphabet) for _ in range(count))
    pattern = rng.random()
    if pattern < 0.35:
        number = rng.choice(LETTERS) + some(DIGITS, rng.choice([7, 8, 6]))
    elif pattern < 0.6:
        number = some(DIGITS, rng.choice([8, 9]))
    elif pattern < 0.85:
        number = some("CFGHJKLMNPRTVWXYZ0123456789", 9)
    else:
        number = some(LETTERS, 2) + some(DIGITS, 7)
    return number.ljust(9, "<")


def optional_data(rng, width):
    kind = rng.random()
    if kind < 0.5:
        return "<" * width
    alphabet, shortest = (DIGITS, 6) if kind < 0.8 else (LETTERS + DIGITS, 4)
    count = rng.randint(min(shortest, width), width)
    return "".join(rng.choice(alphabet) for _ in range(count)).ljust(width, "<")


def td3(rng, stock=TRAINING):
    issuer = rng.choice(stock.states)
    nationality = issuer if rng.random() < 0.9 else rng.choice(stock.states)
    upper = "P" + rng.choice("<<<<<DOSEMPC") + issuer + names(rng, 39, stock)
    number, birth, expiry = document_number(rng), date(rng, 30, 124), date(rng, 24, 36)
    optional = optional_data(rng, 14)
    optional_digit = check_digit(optional) if optional.strip("<") else rng.choice("<0")
    sex = rng.choice("MF<X" if rng.random() < 0.1 else "MF")
    lower = (
        number + check_digit(number) + nationality + birth + check_digit(birth) + sex
        + expiry + check_digit(expiry) + optional + optional_digit
    )
    return [upper, lower + check_digit(lower[0:10] + lower[13:20] + lower[21:43])]


def td2(rng, stock=TRAINING):
    issuer = rng.choice(stock.states)
    upper = rng.choice("IAC") + rng.choice("<<D") + issuer + names(rng, 31, stock)
    number, birth, expiry = document_number(rng), date(rng, 30, 124), date(rng, 24, 36)
    lower = (
        number + check_digit(number) + issuer + birth + check_digit(birth) + rng.choice("MF")
        + expiry + check_digit(expiry) + optional_data(rng, 7)
    )
    return [upper, lower + check_digit(lower[0:10] + lower[13:20] + lower[21:35])]


def td1(rng, stock=TRAINING):
    issuer, number = rng.choice(stock.states), document_number(rng)
    upper = rng.choice("IAC") + rng.choice("<<DR") + issuer + number + check_digit(number)
    upper += optional_data(rng, 15)
    birth, expiry = date(rng, 30, 124), date(rng, 24, 36)
    middle = (
        birth + check_digit(birth) + rng.choice("MF") + expiry + check_digit(expiry) + issuer
        + optional_data(rng, 11)
    )
    middle += check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
    return [upper, middle, names(rng, 30, stock)]


def line(rng):
    """One line: mostly of a passport, some of cards, some of any characters at all."""
    kind = rng.random()
    for share, document in ((0.62, td3), (0.72, td2), (0.84, td1)):
        if kind < share:
            return rng.choice(document(rng))
    return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([44, 44, 36, 30])))
