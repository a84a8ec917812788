"""Invented names of companies and people, with addresses and numbers that belong to nobody."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

_ROOTS = (
    "Aegean Alder Amber Anchor Arbor Argent Aurora Bellwether Birch Blue Harbour Brightwater Calypso Cedar Cinder "
    "Cobalt Copperfield Coral Crescent Driftwood Echo Ember Fairlight Falcon Fjord Foxglove Granite Halcyon Harbour "
    "Hazel Helios Heron Indigo Juniper Kestrel Kingfisher Lantern Larkspur Lighthouse Linden Lumen Magnolia Maple "
    "Meridian Moonrise Nightingale Northlight Oakwood Olive Orchard Osprey Palisade Pebble Pinewood Polaris Prairie "
    "Quartz Raven Redwood Riverstone Rowan Saffron Sandpiper Selene Silverline Skylark Solstice Sparrow Summit "
    "Sycamore Tamarind Thistle Tidewater Topaz Umbra Velvet Vesper Violet Wavecrest Westwind Willow Zephyr"
)
ROOTS = tuple(_ROOTS.replace("Blue Harbour", "Blueharbour").split())


class Trade(NamedTuple):
    """A line of business: the word in a company's name, its industry, and the business types it may have."""

    word: str
    industry: str
    types: tuple[str, ...]


TRADES = (
    Trade("Records", "Music", ("Label", "Distributor")),
    Trade("Music Publishing", "Music", ("Publisher", "Administrator")),
    Trade("Sound", "Music", ("Label", "Production Library")),
    Trade("Film Works", "Media", ("Production", "Broadcaster")),
    Trade("Broadcasting", "Media", ("Broadcaster", "Producer")),
    Trade("Media", "Media", ("Broadcaster", "Publisher", "Agency")),
    Trade("Studios", "Entertainment", ("Production", "Label")),
    Trade("Artists", "Entertainment", ("Agency", "Management")),
    Trade("Digital", "Technology", ("Platform", "Distributor")),
    Trade("Rights", "Legal Services", ("Administrator", "Collecting Society")),
    Trade("Streaming", "Technology", ("Platform",)),
    Trade("Events", "Hospitality", ("Venue", "Agency")),
)


class Place(NamedTuple):
    """A city with what goes with it; phone numbers are completed with four digits."""

    city: str
    country: str
    code: str
    currency: str
    legal_form: str
    phone: str
    streets: tuple[str, ...]


PLACES = (
    Place("London", "United Kingdom", "GB", "GBP", "Ltd", "+44 20 7946", ("Camden Road", "Harrow Street")),
    Place("Manchester", "United Kingdom", "GB", "GBP", "Ltd", "+44 161 496", ("Mill Lane", "Quay Street")),
    Place("Athens", "Greece", "GR", "EUR", "S.A.", "+30 21 5550", ("Kifisias Avenue", "Solonos")),
    Place("Berlin", "Germany", "DE", "EUR", "GmbH", "+49 30 5550", ("Lindenstraße", "Torstraße")),
    Place("Hamburg", "Germany", "DE", "EUR", "GmbH", "+49 40 5550", ("Hafenweg", "Mönckebergstraße")),
    Place("Paris", "France", "FR", "EUR", "SARL", "+33 1 5550", ("Rue des Archives", "Rue Oberkampf")),
    Place("Stockholm", "Sweden", "SE", "SEK", "AB", "+46 8 555", ("Kajgatan", "Tegelgatan")),
    Place("Oslo", "Norway", "NO", "NOK", "AS", "+47 55 50", ("Storgata", "Bryggegata")),
    Place("København", "Denmark", "DK", "DKK", "ApS", "+45 55 50", ("Nørregade", "Havnegade")),
    Place("Madrid", "Spain", "ES", "EUR", "S.L.", "+34 91 555", ("Calle Mayor", "Calle de Alcalá")),
    Place("Milano", "Italy", "IT", "EUR", "S.r.l.", "+39 02 5550", ("Via Torino", "Via Brera")),
    Place("New York", "United States", "US", "USD", "Inc.", "+1 212 555", ("Hudson Street", "Spring Street")),
    Place("Nashville", "United States", "US", "USD", "LLC", "+1 615 555", ("Music Row", "Broadway")),
    Place("Los Angeles", "United States", "US", "USD", "LLC", "+1 213 555", ("Sunset Boulevard", "Vine Street")),
    Place("Toronto", "Canada", "CA", "CAD", "Inc.", "+1 416 555", ("King Street", "Queen Street")),
    Place("Tokyo", "Japan", "JP", "JPY", "K.K.", "+81 3 5550", ("Aoyama-dori", "Meiji-dori")),
)
_FIRST = (
    "Ada Aisha Alexis Amira Ana Anders Aris Astrid Ben Bianca Björn Camille Carla Chloé Clara Dana Daniel Despina "
    "Diego Eleni Elif Elin Emil Emma Eva Felix Finn Fiona Giulia Grace Hana Hugo Imre Ines Iris Jakob Joana Jonas "
    "Julia Kai Karim Kostas Lara Lars Lea Leo Lina Lucía Luka Maja Marco Maria Mei Mila Nadia Niko Nora Olga Omar "
    "Oskar Paul Petra Priya Rafael Rosa Runa Sami Sara Sofia Søren Tariq Theo Tomás Vera Yara Yuki Zoë"
)
_LAST = (
    "Almeida Andersson Angelou Bauer Bergström Bianchi Brandt Castillo Chen Cole Costa Dahl Delgado Dimitriou Dubois "
    "Eriksen Fischer Fontaine Fraser García Georgiou Greco Haddad Hansen Hart Hoffmann Ito Ivanova Jensen Kaya Keller "
    "Khan Koch Kowalska Laurent Lind Lindqvist López Lund Mancini Markou Mensah Moreau Moretti Müller Nakamura "
    "Nilsen Novak Okafor Olsen Papadaki Park Patel Petrov Ricci Rossi Roux Saito Santos Sato Schäfer Silva Singh "
    "Sørensen Stone Tanaka Taylor Varga Vasquez Vogel Walker Weber Wright Yilmaz Zimmermann"
)
FIRST_NAMES = tuple(_FIRST.split())
LAST_NAMES = tuple(_LAST.split())
SALUTATIONS = ("Ms.", "Mr.", "Dr.", "Mx.")
_RARER_PARTS = (("Salutation", SALUTATIONS, 0.6), ("MiddleName", FIRST_NAMES, 0.15), ("Suffix", ("Jr.", "PhD"), 0.06))
# Letters that no normalization takes apart.
_TO_ASCII = str.maketrans({"ø": "o", "ß": "ss", "ł": "l", "æ": "ae"})


class Company(NamedTuple):
    """A company before it is an account or a lead's employer."""

    name: str
    trade: Trade
    place: Place

    @property
    def domain(self) -> str:
        """Return a domain that can never exist (RFC 2606)."""
        return f"{slug(self.name.removesuffix(self.place.legal_form))}.example"


def company(rng: Random, is_taken: Callable[[str], bool]) -> Company:
    """Return a company whose name nobody has."""
    trade, place = rng.choice(TRADES), rng.choice(PLACES)
    root = rng.choice(ROOTS)
    name = f"{root} {trade.word} {place.legal_form}"
    while is_taken(name):
        root = f"{rng.choice(ROOTS)} & {rng.choice(LAST_NAMES)}"
        name = f"{root} {trade.word} {place.legal_form}"
    return Company(name, trade, place)


def person(rng: Random) -> dict[str, str]:
    """Return a person's name as the compound field of Salesforce has it."""
    name = {"FirstName": rng.choice(FIRST_NAMES), "LastName": rng.choice(LAST_NAMES)}
    for part, choices, share in _RARER_PARTS:
        if rng.random() < share:
            name[part] = rng.choice(choices)
    return name


def email(name: Mapping[str, str], domain: str) -> str:
    """Return the address a company would give to a person."""
    return f"{slug(name.get('FirstName') or 'info')}.{slug(name['LastName'])}@{domain}"


def phone(rng: Random, place: Place) -> str:
    """Return a phone number of a range kept for stories."""
    return f"{place.phone} {rng.randrange(100, 200):04d}"


def address(rng: Random, place: Place) -> dict[str, str]:
    """Return an address as a compound field."""
    return {
        "Street": f"{rng.choice(place.streets)} {rng.randrange(1, 180)}",
        "City": place.city,
        "PostalCode": f"{rng.randrange(10_000, 99_999)}",
        "Country": place.country,
        "CountryCode": place.code,
    }


def slug(text: str) -> str:
    """Return a text as a part of an internet address."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_TO_ASCII)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
