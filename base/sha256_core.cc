// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/sha256_core.h"

namespace kdumpkit {
namespace {

constexpr size_t kLengthField = 8;    // the length in bits, at the end of the last block
constexpr unsigned char kEnd = 0x80;  // follows the last byte

// FIPS 180-4, 5.3.3: where the hash starts.
constexpr uint32_t kStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// FIPS 180-4, 4.2.2: the constant of each round.
constexpr uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t Rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

constexpr uint32_t LoadBig(const unsigned char* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
}

// One round. Instead of moving the eight words along, the caller names them one place on: the
// new a is written over h, the new e over d.
inline void Round(uint32_t a, uint32_t b, uint32_t c, uint32_t& d, uint32_t e, uint32_t f,
                  uint32_t g, uint32_t& h, uint32_t word) {
  uint32_t choice = g ^ (e & (f ^ g));
  uint32_t majority = (a & b) | (c & (a | b));
  h += (Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25)) + choice + word;
  d += h;
  h += (Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22)) + majority;
}

// The word of the message schedule 16 places after `w[i]`, in its place.
inline uint32_t Next(uint32_t (&w)[16], int i) {
  uint32_t low = w[(i + 1) & 15];
  uint32_t high = w[(i + 14) & 15];
  w[i] += (Rotate(low, 7) ^ Rotate(low, 18) ^ low >> 3) + w[(i + 9) & 15] +
          (Rotate(high, 17) ^ Rotate(high, 19) ^ high >> 10);
  return w[i];
}

// Eight rounds, after which each word has its own name again. `first` of the schedule is given by
// `word`.
template <typename Word>
inline void EightRounds(uint32_t (&s)[8], const uint32_t* k, Word word) {
  Round(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], k[0] + word(0));
  Round(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], k[1] + word(1));
  Round(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], k[2] + word(2));
  Round(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], k[3] + word(3));
  Round(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], k[4] + word(4));
  Round(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], k[5] + word(5));
  Round(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], k[6] + word(6));
  Round(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], k[7] + word(7));
}

void HashBlocks(uint32_t (&hash)[8], const unsigned char* data, size_t blocks) {
  for (; blocks != 0; --blocks, data += Sha256Core::kBlock) {
    uint32_t w[16];
    uint32_t s[8];
    for (int i = 0; i < 8; ++i) s[i] = hash[i];
    auto load = [&](int i) { return w[i] = LoadBig(data + 4 * i); };
    EightRounds(s, kRound, load);
    EightRounds(s, kRound + 8, [&](int i) { return load(8 + i); });
    for (int round = 16; round < 64; round += 16) {
      EightRounds(s, kRound + round, [&](int i) { return Next(w, i); });
      EightRounds(s, kRound + round + 8, [&](int i) { return Next(w, 8 + i); });
    }
    for (int i = 0; i < 8; ++i) hash[i] += s[i];
  }
}

}  // namespace

bool Sha256Digest::operator==(const Sha256Digest& other) const {
  unsigned char difference = 0;
  for (size_t i = 0; i < sizeof(bytes); ++i) difference |= bytes[i] ^ other.bytes[i];
  return difference == 0;
}

Sha256Core::Sha256Core() {
  for (int i = 0; i < 8; ++i) hash_[i] = kStart[i];
}

void Sha256Core::Update(const unsigned char* data, size_t size) {
  size_ += size;
  // A block that was begun is filled up first; whole blocks are hashed where they lie.
  if (used_ != 0) {
    for (; size != 0 && used_ < kBlock; --size) block_[used_++] = *data++;
    if (used_ < kBlock) return;
    HashBlocks(hash_, block_, 1);
    used_ = 0;
  }
  HashBlocks(hash_, data, size / kBlock);
  data += size - size % kBlock;
  for (size %= kBlock; size != 0; --size) block_[used_++] = *data++;
}

Sha256Digest Sha256Core::Finish() {
  // The rest, the end mark and the length take one block or two.
  unsigned char last[2 * kBlock] = {};
  for (size_t i = 0; i < used_; ++i) last[i] = block_[i];
  last[used_] = kEnd;
  size_t blocks = used_ + 1 + kLengthField <= kBlock ? 1 : 2;
  uint64_t bits = size_ * 8;
  for (size_t i = 0; i < kLengthField; ++i)
    last[blocks * kBlock - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
  HashBlocks(hash_, last, blocks);

  Sha256Digest digest;
  for (size_t i = 0; i < sizeof(digest.bytes); ++i)
    digest.bytes[i] = static_cast<unsigned char>(hash_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

Sha256Digest Sha256Of(const unsigned char* data, size_t size) {
  Sha256Core hash;
  hash.Update(data, size);
  return hash.Finish();
}

}  // namespace kdumpkit
