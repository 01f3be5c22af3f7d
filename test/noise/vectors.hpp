#pragma once

#include <string_view>
#include <vector>

#include <ggen/p2p/noise/handshake_state.hpp>

/// Published test vectors of Noise_XX_25519_ChaChaPoly_SHA256, by the implementations that made
/// them. All values are hexadecimal.
namespace ggen::p2p::noise::test {

struct Message {
  std::string_view payload;
  std::string_view ciphertext;
};

struct Vector {
  std::string_view source;
  std::string_view prologue;
  std::string_view initiator_static;
  std::string_view initiator_ephemeral;
  std::string_view responder_static;
  std::string_view responder_ephemeral;
  std::string_view handshake_hash;  ///< empty where it is not published
  /// Who sends the first message after the handshake; then they take turns.
  Role first_sender;
  /// Three of the handshake, then those sealed with its ciphers.
  std::vector<Message> messages;
};

inline const std::vector<Vector> kVectors = {
    {
        .source = "cacophony",
        .prologue = "4a6f686e2047616c74",
        .initiator_static = "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
        .initiator_ephemeral = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
        .responder_static = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
        .responder_ephemeral = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
        .handshake_hash = "c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e",
        .first_sender = Role::kResponder,
        .messages =
            {
                {"4c756477696720766f6e204d69736573",
                 "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c756477"
                 "696720766f6e204d69736573"},
                {"4d757272617920526f746862617264",
                 "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f"
                 "276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488"
                 "ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c"
                 "9326ad"},
                {"462e20412e20486179656b",
                 "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9"
                 "df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49"
                 "b25030"},
                {"4361726c204d656e676572",
                 "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"},
                {"4a65616e2d426170746973746520536179",
                 "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"},
                {"457567656e2042f6686d20766f6e2042617765726b",
                 "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae"
                 "3f"},
            },
    },
    {
        .source = "snow",
        .prologue = "5468657265206973206e6f20726967687420616e642077726f6e672e2054686572652773"
                    "206f6e6c792066756e20616e6420626f72696e672e",
        .initiator_static = "7dec208517a3b81a2861d7a71266d5d6dc944c5a8816634a86fe63198a0148ee",
        .initiator_ephemeral = "a32daf21e93c0131495ce1d903181fde81cc46937daaeb990bae7c992709421e",
        .responder_static = "4d0aed5098e3b4ef20357e9f686ce66204c792b358da2e475017d6c485304881",
        .responder_ephemeral = "4eece0f195d026db035ff987597c429d3ad3bcc2944df37d649528951b2a27c5",
        .handshake_hash = "",
        .first_sender = Role::kResponder,
        .messages =
            {
                {"d03c489139e645d0711a3c9e810d776b46a84912463fafa87b884eebf242dc34",
                 "f9fa868ba97ab8a2686deccfaad5a484ee10a5bb85e3d1dce015a84797f92818d03c4891"
                 "39e645d0711a3c9e810d776b46a84912463fafa87b884eebf242dc34"},
                {"d8190a92f7dc0c93dbea9118ba8055751fb7c6590c416ffbd419964132b99a85",
                 "8c4e6fdb7d09d501a86f7eca5c234522751706ed409182c05cdf5f827d4dae47b81c6c5f"
                 "43b025692c24391eefee725c17d8cb0fbe3e4abb8aedf42c4fd2592d4ea48ac08989d6ae"
                 "8b4adae08b2c34087c808c7aa55a63c02b0fab9e930612336bd43eaea04d3c670a0a1466"
                 "91aa9cc9d357872320dc735dbc48580cffb553db"},
                {"77891b19dcb92ef7c055b672c4a5aa7fdf1c84146b8b303459022729473ce254",
                 "933ca6b5ed60df3df66121f0ab49a09e49efa45c613a86a3cecbf4c535cef2f83f72b428"
                 "37b18e3572f2fdc2b74c331e2368a545cef54bdca081678ab0e9dd5348122459e0c034c8"
                 "51984d88ce610963d43cde6cfe73a67fbd5a63e8bfca96d0"},
                {"d7efdf988072881941db045a42882433817555128fbf5663e56081712ec7d212",
                 "54ef0ff0629e1aaa7685a2806ab111cba76b52331f2642276736f415868eacb69ab2577f"
                 "3bda0cbf72f879685f6ed25f"},
                {"dd7bf01a588bafb52c6cfba952e5d8fe35cc2b3f92b4730ae2474615157345ce",
                 "356be70f110306d5c699bb834bb9d58d909e325924dfbec972e406e6f294dc63e1daebef"
                 "e8a62a334facc8048ab4ad66"},
            },
    },
    {
        .source = "flynn/noise, case 1",
        .prologue = "",
        .initiator_static = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        .initiator_ephemeral = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        .responder_static = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        .responder_ephemeral = "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
        .handshake_hash = "",
        .first_sender = Role::kInitiator,
        .messages =
            {
                {"", "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"},
                {"",
                 "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d484663414af87"
                 "8d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff4560a34e36ea82109f"
                 "26cf2e5a5caf992b608d55c747f615e5a3425a7a19eefb8f"},
                {"",
                 "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d97e5ea11b"
                 "16f3968710b23a3be3202dc1b5e1ce3c963347491e74f5c0768a9b42"},
                {"79656c6c6f777375626d6172696e65",
                 "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
                {"7375626d6172696e6579656c6c6f77",
                 "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"},
            },
    },
    {
        .source = "flynn/noise, case 2",
        .prologue = "",
        .initiator_static = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        .initiator_ephemeral = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        .responder_static = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        .responder_ephemeral = "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
        .handshake_hash = "",
        .first_sender = Role::kInitiator,
        .messages =
            {
                {"746573745f6d73675f30",
                 "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625474657374"
                 "5f6d73675f30"},
                {"746573745f6d73675f31",
                 "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d484663414af87"
                 "8d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff4572e7a2ba5123ac30"
                 "618b3d205f5c2d17f50cbca216483ac56bcc78e33bf520303278db641e5e731b2e3a"},
                {"746573745f6d73675f32",
                 "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d9f27e318e"
                 "43ba630594c4d08eeb3b36d97c7377a2f4f9144b2f0c8095ad92140505b2ab53eff244b1"
                 "4138"},
                {"79656c6c6f777375626d6172696e65",
                 "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
                {"7375626d6172696e6579656c6c6f77",
                 "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"},
            },
    },
    {
        .source = "flynn/noise, case 3",
        .prologue = "6e6f74736563726574",
        .initiator_static = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        .initiator_ephemeral = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        .responder_static = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        .responder_ephemeral = "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
        .handshake_hash = "",
        .first_sender = Role::kInitiator,
        .messages =
            {
                {"", "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"},
                {"",
                 "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d484663414af87"
                 "8d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff4588f043d1e49a3289"
                 "b1beeab8f96b0551a48cddf9f38b1a12e46c6908644198f3"},
                {"",
                 "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d95a04fa1f"
                 "1c41fb3f00d496f242c1e44ce5b749b3d54bf74cea2dad086d601fb6"},
                {"79656c6c6f777375626d6172696e65",
                 "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
                {"7375626d6172696e6579656c6c6f77",
                 "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"},
            },
    },
    {
        .source = "flynn/noise, case 4",
        .prologue = "6e6f74736563726574",
        .initiator_static = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        .initiator_ephemeral = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        .responder_static = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        .responder_ephemeral = "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
        .handshake_hash = "",
        .first_sender = Role::kInitiator,
        .messages =
            {
                {"746573745f6d73675f30",
                 "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625474657374"
                 "5f6d73675f30"},
                {"746573745f6d73675f31",
                 "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d484663414af87"
                 "8d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff4545958c588d17d637"
                 "3e0c1dcfa3755d37f50cbca216483ac56bcc98f5095870aa814ba40c08079c11f087"},
                {"746573745f6d73675f32",
                 "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d9c1e9a1a3"
                 "13d02b78871cfd178a521a4c7c7377a2f4f9144b2f0ccedc84d379151b466741e4b266db"
                 "6023"},
                {"79656c6c6f777375626d6172696e65",
                 "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
                {"7375626d6172696e6579656c6c6f77",
                 "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"},
            },
    },
};

}  // namespace ggen::p2p::noise::test
