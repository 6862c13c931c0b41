"""A made-up county whose crews make the mistakes that real crews make.

For trying Yangdi out, for load tests and for measuring the rules against a known truth. Everything comes
from a seed, and nothing here is data about a real place: boundaries, plots, trees and people are generated
and say so. Values are made without a store or a socket; `phone` sends them over real HTTP, `seed` prepares
a store.
"""
