"""Known wallets of services: fee recipients, tip accounts, shared authorities. They
sign or receive but never trade.

Source: the programs' public IDLs and documents of 19 May 2026, a public parser list of
April 2026 and Dune's bot-trade models of August 2026. Bots rotate their fee wallets, so
that no list is complete. A fee to a listed wallet counts as a cost of the trade.
"""

from typing import Final

from discovery.domain.tip_accounts import TIP_ACCOUNTS

PUMP_FEE_RECIPIENTS: Final = frozenset(
    {
        "62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV",
        "7VtfL8fvgNfhz17qKRMjzQEXgbdpnHHHQRh54R9jP2RJ",
        "7hTckgnGnLQR6sdH7YkqFTAA7VwTfYFaZ6EhEsU3saCX",
        "9rPYyANsfQZw3DnDmKE3YCQF5E8oD89UXoHn9JFEhJUz",
        "AVmoTthdrX6tKt4nDjco2D775W2YK3sDhxPcMmzUAmTY",
        "CebN5WGQ4jvEPvsVU4EoHEpgzq1VV7AbicfhtW4xC9iM",
        "FWsW1xNtWscwNmKv6wVsU1iTzRN6wmmk3MjxRP5tT7hz",
        "G5UZAVbAf46s7cKWoyKu8kYTip9DGTpbLZ2qa9Aq69dP",
        "GesfTA3X2arioaHp8bbKdjG9vJtskViWACZoYvxp4twS",
        "4budycTjhs9fD6xw62VBducVTNgMgJJ5BgtKq7mAZwn6",
        "8SBKzEQU4nLSzcwF4a74F2iaUDQyTfjGndn6qUWBnrpR",
        "4UQeTP1T39KZ9Sfxzo3WR5skgsaP6NZa87BAkuazLEKH",
        "8sNeir4QsLsJdYpc9RZacohhK1Y5FLU3nC5LXgYB4aa6",
        "Fh9HmeLNUMVCvejxCtCL2DbYaRyBFVJ5xrWkLnMH6fdk",
        "463MEnMeGyJekNZFQSTUABBEbLnvMTALbT6ZmsxAbAdq",
        "6AUH3WEHucYZyC61hqpqYUWVto5qA5hjHuNQ32GNnNxA",
        "5YxQFdt3Tr9zJLvkFccqXVUwhdTWJQc1fFg2YPbxvxeD",
        "9M4giFFMxmFGXtc3feFzRai56WbBqehoSeRE5GK7gf7",
        "GXPFM2caqTtQYC2cJ5yJRi9VDkpsYZXzYdwYpGnLmtDL",
        "3BpXnfJaUTiwXnJNe7Ej1rcbzqTTQUvLShZaWazebsVR",
        "5cjcW9wExnJJiqgLjq7DEG75Pm6JBgE1hNv4B2vHXUW6",
        "EHAAiTxcdDwQ3U4bU6YcMsQGaekdzLS3B5SmYo46kJtL",
        "5eHhjP8JaYkz83CWwvGU2uMUXefd3AazWGx4gpcuEEYD",
        "A7hAgCzFw14fejgCp387JUJRMNyz4j89JKnhtKU8piqW",
        "JCRGumoE9Qi5BBgULTgdgTLjSgkCMSbF62ZZfGs84JeU",
    }
)
"""Protocol fee recipients of pump.fun and PumpSwap. Their fee is a venue fee, which is
part of the market amount.
"""

PLATFORM_FEE_WALLETS: Final[dict[str, str]] = {
    "9yMwSPk9mrXSN7yDHUuZurAh1sjbJsfpUqjZ7SvVtdco": "trojan",
    "BBYXdwhqbCxVRVtnuMTTxh8biNisz3ZxsnHfr44jXytR": "trojan",
    "92Med3qeK7duC5iiYsHX38H2f2twJfRsSx93oNrza2VH": "trojan",
    "2jwHNxavSoMZMEDbT1eV9PcPt5dDcayCqM6MkgaPpmWQ": "trojan",
    "65gDv7pZQCZELsNpNYSFEBtNFpWZAbxmRFB6BGMqFkHH": "trojan",
    "BWgb8wR1FEGiu1jCDSKuHKf752W27b4iN6SvoNCiK4qp": "trojan",
    "8jgg7moFJkHyTtAv9M6RBSPMp2oXeXhuiUMKW8YbYCWn": "trojan",
    "ZG98FUCjb8mJ824Gbs6RsgVmr1FhXb2oNiJHa2dwmPd": "bonkbot",
    "AVUCZyuT35YSuj4RH7fwiyPu82Djn2Hfg7y2ND2XcnZH": "photon",
    "9RYJ3qr5eU5xAooqVcbmdeusjcViL5Nkiq7Gske3tiKq": "bullx",
    "F4hJ3Ee3c5UuaorKAMfELBjYCjiiLH75haZTKqTywRP3": "bullx",
    "7LCZckF6XXGQ1hDY6HFXBKWAtiUgL9QY5vj1C4Bn1Qjj": "axiom",
    "4V65jvcDG9DSQioUVqVPiUcUY9v6sb6HKtMnsxSKEz5S": "axiom",
    "CeA3sPZfWWToFEBmw5n1Y93tnV66Vmp8LacLzsVprgxZ": "axiom",
    "AaG6of1gbj1pbDumvbSiTuJhRCRkkUNaWVxijSbWvTJW": "axiom",
    "7oi1L8U9MRu5zDz5syFahsiLUric47LzvJBQX6r827ws": "axiom",
    "9kPrgLggBJ69tx1czYAbp7fezuUmL337BsqQTKETUEhP": "axiom",
    "DKyUs1xXMDy8Z11zNsLnUg3dy9HZf6hYZidB6WodcaGy": "axiom",
    "4FobGn5ZWYquoJkxMzh2VUAWvV36xMgxQ3M7uG1pGGhd": "axiom",
    "76sxKrPtgoJHDJvxwFHqb3cAXWfRHFLe3VpKcLCAHSEf": "axiom",
    "H2cDR3EkJjtTKDQKk8SJS48du9mhsdzQhy8xJx5UMqQK": "axiom",
    "8m5GkL7nVy95G4YVUbs79z873oVKqg2afgKRmqxsiiRm": "axiom",
    "4kuG6NsAFJNwqEkac8GFDMMheCGKUPEbaRVHHyFHSwWz": "axiom",
    "8vFGAKdwpn4hk7kc1cBgfWZzpyW3MEMDATDzVZhddeQb": "axiom",
    "86Vh4XGLW2b6nvWbRyDs4ScgMXbuvRCHT7WbUT3RFxKG": "axiom",
    "DZfEurFKFtSbdWZsKSDTqpqsQgvXxmESpvRtXkAdgLwM": "axiom",
    "5L2QKqDn5ukJSWGyqR4RPvFvwnBabKWqAqMzH4heaQNB": "axiom",
    "DYVeNgXGLAhZdeLMMYnCw1nPnMxkBN7fJnNpHmizTrrF": "axiom",
    "Hbj6XdxX6eV4nfbYTseysibp4zZJtVRRPn2J3BhGRuK9": "axiom",
    "846ah7iBSu9ApuCyEhA5xpnjHHX7d4QJKetWLbwzmJZ8": "axiom",
    "5BqYhuD4q1YD3DMAYkc1FeTu9vqQVYYdfBAmkZjamyZg": "axiom",
    "BB5dnY55FXS1e1NXqZDwCzgdYJdMCj3B92PU6Q5Fb6DT": "gmgn",
    "7sHXjs1j7sDJGVSMSPjD1b4v3FD6uRSvRWfhRdfv5BiA": "gmgn",
    "HeZVpHj9jLwTVtMMbzQRf6mLtFPkWNSg11o68qrbUBa3": "gmgn",
    "ByRRgnZenY6W2sddo1VJzX9o4sMU4gPDUkcmgrpGBxRy": "gmgn",
    "DXfkEGoo6WFsdL7x6gLZ7r6Hw2S6HrtrAQVPWYx2A1s9": "gmgn",
    "3t9EKmRiAUcQUYzTZpNojzeGP1KBAVEEbDNmy6wECQpK": "gmgn",
    "DymeoWc5WLNiQBaoLuxrxDnDRvLgGZ1QGsEoCAM7Jsrx": "gmgn",
    "dBhdrmwBkRa66XxBuAK4WZeZnsZ6bHeHCCLXa3a8bTJ": "gmgn",
    "6TxjC5wJzuuZgTtnTMipwwULEbMPx5JPW3QwWkdTGnrn": "gmgn",
    "7HeD6sLLqAnKVRuSfc1Ko3BSPMNKWgGTiWLKXJF31vKM": "bloom",
    "47hEzz83VFR23rLTEeVm9A7eFzjJwjvdupPPmX3cePqF": "banana_gun",
    "4BBNEVRgrxVKv9f7pMNE788XM1tt379X9vNjpDH2KCL7": "banana_gun",
    "8r2hZoDfk5hDWJ1sDujAi2Qr45ZyZw5EQxAXiMZWLKh2": "banana_gun",
    "Cj297UauzMX64FU9dKJZRUBWszJ7tEWpVheasq4CfATV": "banana_gun",
    "HKMh8nV3ysSofRi23LsfVGLGQKB415QAEfZT96kCcVj4": "banana_gun",
    "7tQiiBdKoScWQkB1RmVuML7DBGnR31cuKPEtMM7Vy5SA": "banana_gun",
    "EMbqD9Y9jLXEa3RbCR8AsEW1kVa3EiJgDLVgvKh4qNFP": "banana_gun",
    "Lk693UiTzQC4vobasRS1QGcYA9D6RGYLjHp1bWreQtM": "banana_gun",
    "MaestroUL88UBnZr3wfoN7hqmNWFi3ZYCGqZoJJHE36": "maestro",
    "FRMxAnZgkW58zbYcE7Bxqsg99VWpJh6sMP5xLzAWNabN": "maestro",
    "noVaE91mUL5jTb8e9Vf6dqJdNPzJpEQ3uAdnQ8h4nVz": "nova",
    "J5XGHmzrRmnYWbmw45DbYkdZAU2bwERFZ11qCDXPvFB5": "padre",
    "DoAsxPQgiyAxyaJNvpAAUb2ups6rbJRdYrCPyWxwRxBb": "padre",
    "G9PhF9C9H83mAjjkdJz4MDqkufiTPMJkx7TnKE1kFyCp": "pepeboost",
    "F34kcgMgCF7mYWkwLN3WN7KrFprr2NbwxuLvXx4fbztj": "soltradingbot",
    "96aFQc9qyqpjMfqdUeurZVYRrrwPJG2uPV6pceu4B1yb": "soltradingbot",
    "HEPL5rTb6n1Ax6jt9z2XMPFJcDe9bSWvWQpsK7AMcbZg": "soltradingbot",
    "K1LRSA1DSoKBtC5DkcvnermRQ62YxogWSCZZPWQrdG5": "soltradingbot",
    "BTQyUXhxiLrFPD5JUANCwg4ViibmNY39McmWk4bVNxLA": "soltradingbot",
    "4vfFG2xGZsjXQgA6ZCTzA1PgUGLppFHY9eGnh3ZVGUuz": "soltradingbot",
    "A7XTexV13EPnhtH55qhT7qmFkgYCMAMnfXk89VWu9PCJ": "soltradingbot",
    "GreGavLfh5sK1BeQ2WYvmk352wbyNNzQdCmqWCV8QSib": "soltradingbot",
    "3kxSQybWEeQZsMuNWMRJH4TxrhwoDwfv41TNMLRzFP5A": "mevx",
    "BS3CyJ9rRC4Tp8G7f86r6hGvuu3XdrVGNVpbNM9U5WRZ": "mevx",
    "4Lpvp1q69SHentfYcMBUrkgvppeEx6ovHCSYjg4UYXiq": "mevx",
    "97VmzkjX9w8gMFS2RnHTSjtMEDbifGXBq9pgosFdFnM": "tradewiz",
    "4mih95RmBqfHYvEfqq6uGGLp1Fr3gVS3VNSEa3JVRfQK": "raybot",
    "DfkYw6zrr5cqzQHBTaXBsny54p5ip25CELUZ71hkS5LH": "falcon",
    "7Yr577ubghnmUTvFgB23iPw3FWReMt18WehCz2b2c9mV": "unibot",
    "8FEE2ghpWPoxsypBLW87yyqmChjUbcZz41V7bzfiJqGF": "unibot",
    "9cSuF94JWPb1HQzWMcifJzkoggwAtfjsojcUqny5XuJy": "shuriken",
    "8dEe5BM7irAnHtJ6SSWwCRf7njgnyczS3jPrvJJs88U5": "magnum",
    "CPixcsP8LEMeUoavaHG3bdkywR8s4mZXNN3mYUgbXFev": "magnum",
    "3Pu1V4duyLyVpAJue1kLAfr74nGjQ3JDzj3aJjnoEXuL": "looter",
    "6MgcmcZJXfyux7rRSsvjWaG8iegQ29KLxMtWHKoCZ7fn": "soul_sniper",
}
"""Fee wallet of a trading platform -> the platform. Lamports sent there are a cost of
the trade.
"""

SERVICES: Final = TIP_ACCOUNTS | PLATFORM_FEE_WALLETS.keys()
"""Accounts that wallets pay beside the market: tips and platform fees."""
FEE_ACCOUNTS: Final = SERVICES | PUMP_FEE_RECIPIENTS

MIGRATORS: Final = frozenset({"39azUYFWPz3VHgKCf3VChUwbpURdCHRxjWVowf5jUJjg"})
"""Signers that move a completed curve into its pool (pump.fun)."""

BURN_ADDRESS: Final = "1nc1nerator11111111111111111111111111111111"

RAYDIUM_V4_AUTHORITY: Final = "5Q544fKrFoe6tsEbD7S8EmxGTJYAKtTVhAW5Q5pge4j1"
SHARED_AUTHORITIES: Final = frozenset(
    {
        RAYDIUM_V4_AUTHORITY,
        "GpMZbSM2GgvTKHJirzeGfMFoaZ8UR2X7F4v8vHTvxFbL",  # Raydium CPMM
        "WLHv2UAZm6z4KyaaELi5pjdbJh6RESMva1Rnn8pJVVh",  # Raydium LaunchLab
        "HLnpSz9h2S4hiLQ43rnSD9XkcUThA7B8hQMKmDaiTLcC",  # Meteora DAMM v2
        "FhVo3mqL8PW5pH5U2CN4XE33DokiyZnUwuGpH2hmHLuM",  # Meteora DBC
    }
)
"""Owners of the vaults of many pools: their lamports in a transaction may belong to
several pools.
"""

OTHER_SERVICES: Final = frozenset(
    {
        "7YttLkHDoNj9wyDur5pM1ejNaAvT9X4eqaYcHQqtj2G5",  # Raydium pool-creation fee
        "DNXgeM9EiiaAbaWvwjHj9fQQLAX5ZsfHyvmYUNRAdNC8",  # Raydium CPMM fee
        "CdQTNULjDiTsvyR5UKjYBMqWvYpxXj6HY4m6atm2hErk",  # Meteora DAMM v1 fee
        "45ruCyfdRkWpRNGEqWzjCiXRHkZs8WXCLQ67Pnpye7Hp",  # Jupiter referral
        "HV1KXxWFaSeriyFvXyx48FqG9BoFbfinB8njCJonqP7K",  # OKX router
        "BwWK17cbHxwWBKZkUYvzxLcNQ1YVyaFezduWbtm2de6s",  # pump Mayhem vault
        "DCAKxn5PFNN1mBREPWGdk1RXg5aVH9rPErLfBFEi2Emb",  # Jupiter DCA keepers
        "DCAKuApAuZtVNYLk3KTAVW9GLWVvPbnb5CxxRRmVgcTr",
        "DCAK36VfExkPdAkYUQg6ewgxyinvcEyPLyHjRbmveKFw",
        BURN_ADDRESS,
    }
)

INFRASTRUCTURE: Final = (
    PUMP_FEE_RECIPIENTS
    | TIP_ACCOUNTS
    | PLATFORM_FEE_WALLETS.keys()
    | MIGRATORS
    | SHARED_AUTHORITIES
    | OTHER_SERVICES
)
"""On-curve addresses that never trade. Owners off the ed25519 curve are infrastructure
without being listed.
"""
